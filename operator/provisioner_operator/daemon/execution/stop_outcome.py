"""How a run that was stopped ends: which cause makes which phase, and how that is said. Pure; used by `run`."""

from enum import Enum

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.records import Job

STATE_NOTE = "What it had done until then is kept in its state."
KILLED_NOTE = (
    "It did not end in order: its state may lack the last changes and may still be locked; "
    "the next job of this workspace says so if it is."
)


class StopCause(Enum):
    """Why a run is being stopped; the first one counts."""

    CANCEL = "cancel"
    STALL = "stall"
    SHUTDOWN = "shutdown"
    """The daemon was told a second time to stop."""
    FENCE = "fence"
    """No heartbeat got through for so long that the job may be given up by the controller."""
    ABANDON = "abandon"
    """The job is over, deleted or another's: nothing is written."""


def stopped(job: Job, cause: StopCause, *, stage: str | None, killed: bool) -> Outcome:
    """The outcome of a run that was stopped."""
    where = f"in stage {stage}" if stage else "before its first stage"
    note = KILLED_NOTE if killed else (STATE_NOTE if stage else "Nothing had been done.")
    match cause:
        case StopCause.CANCEL:
            how = "killed" if killed else "stopped"
            return Outcome(Phase.CANCELED, EndReason.CANCELED, f"The run was {how} {where}. {note}")
        case StopCause.STALL:
            seconds = f"{job.stall_timeout:.0f}" if job.stall_timeout is not None else "?"
            message = (
                f"The run wrote nothing for {seconds} s {where} and was stopped. {note} "
                "If that silence was honest, raise spec.stallTimeoutSeconds of the next job."
            )
            return Outcome(Phase.FAILED, EndReason.STALLED, message)
        case StopCause.SHUTDOWN:
            message = (
                f"The daemon was shut down without waiting and stopped the run {where}. {note} Submit the job again."
            )
            return Outcome(Phase.FAILED, EndReason.DAEMON_SHUTDOWN, message)
        case StopCause.FENCE:
            message = (
                f"The daemon had lost contact with the API server for too long and stopped the run {where}. {note} "
                "See to the network between the daemon and the API server, then submit the job again."
            )
            return Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message)
        case StopCause.ABANDON:
            message = f"The daemon gave the run up {where}: the job is over, deleted or another daemon's. {note}"
            return Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message)
