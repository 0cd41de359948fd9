"""Changes that build a workspace, or import a template, again: of the commands that do so, and of `jobs retry`. Pure."""

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.cli.api.workspace_objects import TemplateState, WorkspaceState
from provisioner_operator.cli.errors import NothingToDoError
from provisioner_operator.core.model.json_patch import JsonPatch


def rebuild_patch(workspace: WorkspaceState) -> JsonPatch:
    """Return the change that repeats the latest build. Raises NothingToDoError if there is nothing to repeat."""
    if workspace.desired_transition is Transition.STOP and not workspace.latest_job:
        raise NothingToDoError("was never started; `workspaces start` starts it")
    generation = workspace.rebuild_generation
    return JsonPatch(
        tests=(("/metadata/uid", workspace.meta.uid), ("/spec/rebuildGeneration", generation)),
        sets=(("/spec/rebuildGeneration", generation + 1),),
    )


def describe_rebuild(workspace: WorkspaceState, *, dry_run: bool) -> str:
    """Return the outcome in words, with the newer version that the workspace does not use, if there is one."""
    words = {
        Transition.START: "will be started again",
        Transition.STOP: "will be stopped again",
        Transition.DELETE: "will be destroyed again",
    }
    asked = f"{words[workspace.desired_transition]}{' (dry run)' if dry_run else ''}"
    return f"{asked}. {workspace.outdated}" if workspace.outdated else asked


def import_patch(template: TemplateState) -> JsonPatch:
    """Return the change that imports the present source as a new version."""
    generation = template.import_generation
    return JsonPatch(
        tests=(("/metadata/uid", template.meta.uid), ("/spec/importGeneration", generation)),
        sets=(("/spec/importGeneration", generation + 1),),
    )
