"""Words about a rebuild."""

from provisioner_operator.cli.api.rebuilds import describe_rebuild
from provisioner_operator.core.workspaces.requests import WorkspaceState
from provisioner_operator.kube.workspace_states import workspace_state
from support.builders.manifests import a_workspace_manifest
from support.builders.stored import stored


def a_state(*conditions: dict[str, str]) -> WorkspaceState:
    return workspace_state(stored(a_workspace_manifest("dev"), status={"conditions": list(conditions)}))


def test_a_rebuild_says_that_there_is_a_newer_version() -> None:
    outdated = {"type": "Outdated", "status": "True", "message": "There is a newer version."}

    assert describe_rebuild(a_state(), dry_run=True) == "will be started again (dry run)"
    assert describe_rebuild(a_state(outdated), dry_run=False) == "will be started again. There is a newer version."
