"""Describe the state of a workspace by its effective build: Coder's phase, and a sentence. Used by `build_plan`."""

from dataclasses import dataclass
from math import ceil

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, WorkspacePhase, WorkspaceReason
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.workspaces.outdated import describe_move
from provisioner_operator.core.workspaces.records import JOB_DELETED, VANISHED, BuildRecord, Workspace

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
    """Phase and conditions of a workspace."""

    phase: WorkspacePhase
    reason: WorkspaceReason
    message: str
    ready: bool = False
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of the template that matter to a workspace whose build did not complete."""

    of_rebuild: str | None
    """Version that would be built if spec.rebuildGeneration were raised."""
    active: str | None


def describe(
    workspace: Workspace, effective: BuildRecord | None, versions: Versions, retry_at: float | None = None
) -> Summary:
    """Describe the workspace by its effective build, None if it has none, and by when the latest one is tried again."""
    if effective is None:
        if not workspace.running:
            return Summary(
                WorkspacePhase.STOPPED, WorkspaceReason.UP_TO_DATE, "The workspace was never started.", ready=True
            )
        message = "The first build is about to be created."
        return Summary(WorkspacePhase.PENDING, WorkspaceReason.BUILD_WAITING, message, under_way=True)
    if effective.ended and retry_at is not None and effective.started is None:
        return _describe_retry(effective, retry_at)
    if effective.ended:
        return _describe_ended(workspace, effective, versions)
    build = _display_name(effective)
    if effective.phase is Phase.PENDING:
        message = f"{build} is waiting for a daemon{_with_message(effective)}"
        return Summary(WorkspacePhase.PENDING, WorkspaceReason.BUILD_WAITING, message, under_way=True)
    if effective.phase is Phase.CANCELING:
        phase, doing = WorkspacePhase.CANCELING, "being canceled"
    else:
        phase, doing = WORKING[effective.transition], "running"
    return Summary(phase, WorkspaceReason.BUILD_RUNNING, f"{build} is {doing}.", under_way=True)


def _describe_retry(effective: BuildRecord, retry_at: float) -> Summary:
    at = f"{timestamp(ceil(retry_at))[:-8]}Z"
    message = (
        f"{_display_name(effective)} never began{_with_message(effective)} It is tried again at {at}, or at once when "
        "spec.rebuildGeneration is raised."
    )
    if effective.transition is Transition.DELETE:
        message += " To delete the workspace and keep what exists, set spec.deletionPolicy to Orphan."
    return Summary(WorkspacePhase.PENDING, WorkspaceReason.BUILD_WAITING, message, under_way=True)


def _describe_ended(workspace: Workspace, effective: BuildRecord, versions: Versions) -> Summary:
    build = _display_name(effective)
    if effective.phase is Phase.COMPLETED:
        version = "" if effective.version is None else f" with version {effective.version}"
        return Summary(
            _DONE[effective.transition],
            WorkspaceReason.UP_TO_DATE,
            f"{build} completed{version}.",
            ready=not workspace.deleting,
            under_way=True,
        )
    destroys = effective.transition is Transition.DELETE
    advice = _advice(workspace, effective, versions)
    if effective.phase is Phase.FAILED:
        message = f"{build} failed{_with_message(effective)} {advice}"
        reason = WorkspaceReason.DESTROY_FAILED if destroys else WorkspaceReason.BUILD_FAILED
        return Summary(WorkspacePhase.FAILED, reason, message)
    reason = WorkspaceReason.DESTROY_CANCELED if destroys else WorkspaceReason.BUILD_CANCELED
    return Summary(WorkspacePhase.CANCELED, reason, f"{build} {_way_of_cancel(effective)} {advice}")


def _way_of_cancel(effective: BuildRecord) -> str:
    if effective.reason == JOB_DELETED:
        return "was deleted before it ended."
    if effective.reason == VANISHED:
        return "was deleted, and may have started before."
    return f"was canceled{_with_message(effective)}"


def _advice(workspace: Workspace, effective: BuildRecord, versions: Versions) -> str:
    """Return the ways out of a build that did not complete, with the version that each of them builds."""
    again = "" if versions.of_rebuild is None else f" with version {versions.of_rebuild}"
    if effective.transition is Transition.DELETE:
        return (
            f"What was built may still exist. Raise spec.rebuildGeneration to destroy it again{again}, or set "
            "spec.deletionPolicy to Orphan to delete the workspace and keep what exists."
        )
    advice = f"Change the workspace, or raise spec.rebuildGeneration to build it again{again}."
    if versions.active is None or versions.active == versions.of_rebuild:
        return advice
    return f"{advice} That does not update it: {describe_move(workspace, versions.active)}"


def _display_name(build: BuildRecord) -> str:
    return f"Build {build.number} (job {build.job})"


def _with_message(build: BuildRecord) -> str:
    return f": {build.message}" if build.message else "."
