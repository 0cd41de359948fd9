"""Map the cause that stopped a run to the job's phase, reason and message. Pure; used by `run`."""

from enum import Enum

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.records import Job

STATE_NOTE = "The changes made until then are recorded in its state."
KILLED_NOTE = "It could not shut down cleanly: its state may lack the last changes; the next plan shows what differs."

LONGER_DRAIN = (
    "If it needs longer, raise spec.template.terminationGracePeriodSeconds of the pool, or --drain-seconds of a daemon "
    "outside a pool."
)


class StopCause(Enum):
    """The cause of a request to stop a run; the first one counts."""

    CANCEL = "cancel"
    DELETION = "deletion"
    """The job is being deleted, though finalizers keep its object."""
    STALL = "stall"
    SHUTDOWN = "shutdown"
    """The daemon was asked a second time to shut down."""
    DRAIN_TIMEOUT = "drain-timeout"
    """The daemon was asked to shut down, and the run did not end in the time that it may take to drain."""
    FENCE = "fence"
    """No heartbeat succeeded for so long that the controller may declare the daemon lost."""
    ABANDON = "abandon"
    """The job has ended, was deleted or is another daemon's: nothing is written."""


def stopped(job: Job, cause: StopCause, *, stage: str | None, killed: bool) -> Outcome:
    """Return the outcome of a run that was stopped."""
    where = f"in stage {stage}" if stage else "before its first stage"
    note = KILLED_NOTE if killed else (STATE_NOTE if stage else "Nothing had been changed.")
    match cause:
        case StopCause.CANCEL:
            how = "killed" if killed else "stopped"
            return Outcome(Phase.CANCELED, EndReason.CANCELED, f"The run was {how} {where}. {note}")
        case StopCause.DELETION:
            message = f"The job was deleted while it ran; its run was stopped {where}. {note}"
            return Outcome(Phase.FAILED, EndReason.DELETED, message)
        case StopCause.STALL:
            seconds = f"{job.stall_timeout:.0f}" if job.stall_timeout is not None else "?"
            message = (
                f"The run made no progress for {seconds} s {where} and was stopped: it wrote no line of output, blank ones and "
                f'Terraform\'s "Still creating..." not counted. {note} If it can work that long without other output, raise '
                "spec.stallTimeoutSeconds of the next job."
            )
            return Outcome(Phase.FAILED, EndReason.STALLED, message)
        case StopCause.SHUTDOWN | StopCause.DRAIN_TIMEOUT:
            how = (
                "waited for the run as long as it could"
                if cause is StopCause.DRAIN_TIMEOUT
                else "did not wait for the run"
            )
            message = f"The daemon was shut down, {how}, and stopped it {where}. {note} Submit the job again."
            if cause is StopCause.DRAIN_TIMEOUT:
                message += f" {LONGER_DRAIN}"
            return Outcome(Phase.FAILED, EndReason.DAEMON_SHUTDOWN, message)
        case StopCause.FENCE:
            message = (
                f"The daemon had lost contact with the API server for too long and stopped the run {where}. {note} "
                "Check the network between the daemon and the API server, then submit the job again."
            )
            return Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message)
        case StopCause.ABANDON:
            message = (
                f"The daemon abandoned the run {where}: the job has ended, was deleted or is another daemon's. {note}"
            )
            return Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message)
