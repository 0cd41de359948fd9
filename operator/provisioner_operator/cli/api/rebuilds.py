"""Describe the outcome of a rebuild, for `workspaces rebuild` and `jobs retry`. Pure."""

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.core.workspaces.requests import WorkspaceState


def describe_rebuild(workspace: WorkspaceState, *, dry_run: bool) -> str:
    """Return the outcome in words, with the newer version that the workspace does not use, if there is one."""
    words = {
        Transition.START: "will be started again",
        Transition.STOP: "will be stopped again",
        Transition.DELETE: "will be destroyed again",
    }
    asked = f"{words[workspace.desired_transition]}{' (dry run)' if dry_run else ''}"
    return f"{asked}. {workspace.outdated}" if workspace.outdated else asked
