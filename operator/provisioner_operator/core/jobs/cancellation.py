"""Policy of spec.cancel: the ways in which a cancel ends, and the time that a daemon has for it.

Used by `evaluation`, which decides when a cancel is due, and by `status_writes`, which records it.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelReason, Phase
from provisioner_operator.core.model.records import Job

CANCEL_MARGIN_SECONDS = 60.0
"""Time beyond its grace that a daemon has to kill the run and report it, before the controller ends the cancel."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """State of a cancel, as the condition CancelRequested reports it."""

    reason: CancelReason
    message: str


def confirmation_wait(seen: float, grace: float, now: float) -> float:
    """Return the seconds left to confirm a cancel that was first observed at `seen`; not positive if it is overdue."""
    return seen + grace + CANCEL_MARGIN_SECONDS - now


def never_started(job: Job) -> Cancellation:
    """Describe the cancel of a job that no daemon acknowledged."""
    return Cancellation(CancelReason.NEVER_STARTED, f"{canceled_by(job)} The job had not started.")


def stopping(job: Job) -> Cancellation:
    """Describe a cancel that is being carried out."""
    return Cancellation(CancelReason.STOPPING, f"{canceled_by(job)} The run is being stopped.")


def daemon_gone(job: Job, daemon: str, pod_ended: str | None) -> Cancellation:
    """Describe a cancel that the loss of the daemon's process completed; `pod_ended` is how its Pod ended, if known."""
    cause = "" if pod_ended is None else f" (its Pod ended: {pod_ended})"
    return Cancellation(
        CancelReason.DAEMON_GONE, f"{canceled_by(job)} Its daemon {daemon} is gone{cause}, and the run with it."
    )


def unconfirmed(job: Job, daemon: str) -> Cancellation:
    """Describe a cancel that the daemon did not confirm in time."""
    message = (
        f"{canceled_by(job)} Daemon {daemon} did not confirm that the run stopped; check it before building again."
    )
    return Cancellation(CancelReason.DAEMON_UNRESPONSIVE, message)


def answered(job: Job, phase: Phase) -> Cancellation:
    """Describe a cancel whose run its daemon reports as ended in this phase."""
    if phase is Phase.CANCELED:
        return Cancellation(CancelReason.STOPPED, f"{canceled_by(job)} The run was stopped.")
    ended = "completed" if phase is Phase.COMPLETED else "failed"
    message = f"{canceled_by(job)} The cancel came too late: the job had already {ended}."
    return Cancellation(CancelReason.TOO_LATE, message)


def canceled_by(job: Job) -> str:
    """Return a sentence that names the person who canceled the job, and their reason."""
    author = f"Canceled by {job.canceled_by}" if job.canceled_by else "Canceled"
    return f"{author}: {job.cancel_reason}." if job.cancel_reason else f"{author}."
