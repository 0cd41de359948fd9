"""Policy of spec.autostopSeconds: a workspace is stopped this long after its start completed.

The stop that follows has a digest of its own, made from that of the start. So it lasts exactly until the start would be
another one: a changed parameter, or a raised spec.rebuildGeneration, starts the workspace again. While that other start
cannot be built, the time of the one that runs still counts.
"""

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.desired_state import DesiredState, change_of
from provisioner_operator.core.workspaces.records import BuildRecord, Workspace


def stop_time(workspace: Workspace, start: DesiredState, last_run: BuildRecord | None) -> float | None:
    """Return the wall-clock time at which to stop the workspace; None unless this start completed and has a limit."""
    if workspace.autostop is None or last_run is None or last_run.finished is None:
        return None
    if last_run.phase is not Phase.COMPLETED or last_run.change != start.change:
        return None
    return last_run.finished + workspace.autostop


def running_start(last_run: BuildRecord | None) -> DesiredState | None:
    """Return the start whose result runs; None unless the last run is a start that completed."""
    if last_run is None or last_run.transition is not Transition.START or last_run.phase is not Phase.COMPLETED:
        return None
    return DesiredState(Transition.START, last_run.change, last_run.version)


def stopped_by_autostop(start: DesiredState) -> DesiredState:
    """Return the state in which this start is stopped because its time is up."""
    return DesiredState(Transition.STOP, change_of(Transition.STOP, "autostop", start.change), start.version)
