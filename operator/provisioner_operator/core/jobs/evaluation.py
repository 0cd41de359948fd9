"""Evaluate one job by itself: its cancel, its deadlines, its daemon; everything but which daemon it gets.

Called by the job reconciler for each job that changed or whose deadline has passed. Order matters: an admin's cancel goes
before any deadline, a deadline before the queue.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelReason, DaemonState, EndReason, Phase
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.jobs.decisions import (
    BeginCancel,
    Cancel,
    Expire,
    Fail,
    JobDecision,
    Release,
    Resume,
    Suspend,
)
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.status_writes import canceled_by
from provisioner_operator.core.jobs.timeouts import ACKNOWLEDGE_SECONDS, active_deadline, expiry, pending_deadline
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon, Job

CANCEL_MARGIN_SECONDS = 60.0
"""Past its grace a live daemon gets this long to kill the run and write it, before the controller ends the cancel."""


@dataclass(frozen=True, slots=True)
class Context:
    """The facts that an evaluation needs beside the job itself."""

    daemon: Daemon | None = None
    """The daemon that the job is assigned to, while it exists."""
    offline: bool = False
    """That daemon does not report, or said that it stopped."""
    lost: bool = False
    """That daemon's process is certainly over: by its own fence, with its Pod, or because another took its place."""
    pod_ended: str | None = None
    """How that daemon's Pod ended, if that is why it is lost."""
    cancel_seen: float | None = None
    """When this controller first saw the cancel, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The decision about a job now, if any, and in how many seconds to look again if nothing changes."""

    decision: JobDecision | None = None
    requeue_after: float | None = None


def evaluate(job: Job, context: Context, now: Instant) -> Evaluation:
    """Return what is due for one job."""
    if job.phase in TERMINAL:
        return _due(expiry(job), now, Expire(job))
    if job.phase is Phase.PENDING:
        return _evaluate_pending(job, context, now)
    return _evaluate_started(job, context, now)


def _evaluate_pending(job: Job, context: Context, now: Instant) -> Evaluation:
    if job.cancel:
        return Evaluation(Cancel(job, CancelReason.NEVER_STARTED, f"{canceled_by(job)} The job had not started."))
    if job.suspend and job.suspended_at is None:
        return Evaluation(Suspend(job))
    if not job.suspend and job.suspended_at is not None:
        return Evaluation(Resume(job))
    overdue = _due(pending_deadline(job), now, _pending_timeout(job))
    if overdue.decision is not None or job.assignment is None:
        return overdue
    if (why := _why_release(job, context, now)) is not None:
        return Evaluation(Release(job, why))
    acknowledge_in = job.assignment.time + ACKNOWLEDGE_SECONDS - now.wall
    return Evaluation(requeue_after=min(acknowledge_in, overdue.requeue_after or acknowledge_in))


def _why_release(job: Job, context: Context, now: Instant) -> str | None:
    if job.assignment is None:
        return None
    name = job.assignment.daemon
    if context.daemon is None:
        return f"Daemon {name} is gone; the job had not started and is queued again."
    if context.offline:
        return f"Daemon {name} went offline; the job had not started and is queued again."
    if context.daemon.state is DaemonState.DRAINING:
        return f"Daemon {name} is draining; the job had not started and is queued again."
    if now.wall >= job.assignment.time + ACKNOWLEDGE_SECONDS:
        return f"Daemon {name} did not acknowledge within {ACKNOWLEDGE_SECONDS:.0f} s; the job is queued again."
    return None


def _evaluate_started(job: Job, context: Context, now: Instant) -> Evaluation:
    name = job.assignment.daemon if job.assignment is not None else "unknown"
    if context.lost:
        if job.cancel:
            message = f"{canceled_by(job)} Its daemon {name} is gone{_how(context)}, and the run with it."
            return Evaluation(_finish_cancel(job, CancelReason.DAEMON_GONE, message))
        message = (
            f"Daemon {name} was lost{_how(context)} while it ran the job. The state holds what the run had saved by then; "
            f"read its log (ConfigMap {log_archive_name(job.name)}), then submit a new job."
        )
        return Evaluation(Fail(job, EndReason.DAEMON_LOST, message))
    if job.cancel:
        grace = context.daemon.cancel_grace if context.daemon is not None else 0.0
        seen = now.monotonic if context.cancel_seen is None else context.cancel_seen
        wait = seen + grace + CANCEL_MARGIN_SECONDS - now.monotonic
        if wait > 0:
            return Evaluation(requeue_after=wait)
        message = (
            f"{canceled_by(job)} Daemon {name} did not confirm that the run stopped; check it before building again."
        )
        return Evaluation(_finish_cancel(job, CancelReason.DAEMON_UNRESPONSIVE, message))
    if context.daemon is None and job.assignment is not None and job.assignment.instance is not None:
        # Its run may live on until its own fence, and once the job has ended nothing in the cluster tells of it: a
        # controller that starts meanwhile would give the workspace to the next job. The loss, when it is certain, ends it.
        return Evaluation()
    limit = f"{job.active_deadline:.0f} s"
    message = f"The job did not end within {limit} of its start (spec.activeDeadlineSeconds); its run is stopped."
    return _due(active_deadline(job), now, Fail(job, EndReason.DEADLINE_EXCEEDED, message))


def _how(context: Context) -> str:
    return "" if context.pod_ended is None else f" (its Pod ended: {context.pod_ended})"


def _finish_cancel(job: Job, reason: CancelReason, message: str) -> JobDecision:
    """Cancel in the daemon's place; one that its daemon never began goes through Canceling first, as the table says."""
    return BeginCancel(job) if job.phase is Phase.RUNNING else Cancel(job, reason, message)


def _pending_timeout(job: Job) -> Fail:
    limit = f"{job.pending_timeout:.0f} s"
    blocked = f" It was waiting: {job.message}" if job.message else ""
    message = f"The job did not start within {limit} of its creation (spec.pendingTimeoutSeconds).{blocked}"
    return Fail(job, EndReason.PENDING_TIMEOUT, message)


def _due(moment: float | None, now: Instant, decision: JobDecision) -> Evaluation:
    if moment is None:
        return Evaluation()
    return Evaluation(decision) if now.wall >= moment else Evaluation(requeue_after=moment - now.wall)
