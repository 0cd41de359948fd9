"""How a workspace is, in Coder's words and in sentences, by the build that tells it. Used by `workspace_builds`."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, WorkspacePhase, WorkspaceReason
from provisioner_operator.core.workspaces.build_history import VANISHED
from provisioner_operator.core.workspaces.records import BuildRecord, Workspace

WORKING = {
    Transition.START: WorkspacePhase.STARTING,
    Transition.STOP: WorkspacePhase.STOPPING,
    Transition.DELETE: WorkspacePhase.DELETING,
}
_DONE = {
    Transition.START: WorkspacePhase.RUNNING,
    Transition.STOP: WorkspacePhase.STOPPED,
    Transition.DELETE: WorkspacePhase.DELETED,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """How a workspace is."""

    phase: WorkspacePhase
    reason: WorkspaceReason
    message: str
    ready: bool = False
    under_way: bool = False


def told(workspace: Workspace, shown: BuildRecord | None) -> Summary:
    """How the workspace is, by the build that tells it."""
    if shown is None:
        if not workspace.running:
            return Summary(WorkspacePhase.STOPPED, WorkspaceReason.UP_TO_DATE, "It was never started.", ready=True)
        message = "Its first build is about to be made."
        return Summary(WorkspacePhase.PENDING, WorkspaceReason.BUILD_WAITING, message, under_way=True)
    if shown.ended:
        return _told_ended(workspace, shown)
    build = _display_name(shown)
    if shown.phase is Phase.PENDING:
        message = f"{build} waits for a daemon{_said(shown)}"
        return Summary(WorkspacePhase.PENDING, WorkspaceReason.BUILD_WAITING, message, under_way=True)
    if shown.phase is Phase.CANCELING:
        phase, doing = WorkspacePhase.CANCELING, "being canceled"
    else:
        phase, doing = WORKING[shown.transition], "running"
    return Summary(phase, WorkspaceReason.BUILD_RUNNING, f"{build} is {doing}.", under_way=True)


def _told_ended(workspace: Workspace, shown: BuildRecord) -> Summary:
    build = _display_name(shown)
    if shown.phase is Phase.COMPLETED:
        version = "" if shown.version is None else f" with version {shown.version}"
        return Summary(
            _DONE[shown.transition],
            WorkspaceReason.UP_TO_DATE,
            f"{build} completed{version}.",
            ready=not workspace.deleting,
            under_way=True,
        )
    advice = "Change the workspace, or raise spec.rebuildGeneration to build it again."
    if shown.transition is Transition.DELETE:
        advice = (
            "Nothing was given up. Raise spec.rebuildGeneration to destroy again, or set spec.deletionPolicy to Orphan to "
            "leave what exists."
        )
    if shown.phase is Phase.FAILED:
        message = f"{build} failed{_said(shown)} {advice}"
        return Summary(WorkspacePhase.FAILED, WorkspaceReason.BUILD_FAILED, message)
    how = "was deleted before it ended." if shown.reason == VANISHED else f"was canceled{_said(shown)}"
    return Summary(WorkspacePhase.CANCELED, WorkspaceReason.BUILD_CANCELED, f"{build} {how} {advice}")


def _display_name(build: BuildRecord) -> str:
    return f"Build {build.number} (job {build.job})"


def _said(build: BuildRecord) -> str:
    return f": {build.message}" if build.message else "."
