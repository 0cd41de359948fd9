"""Evaluate one job: its cancel, its timeouts, its daemon. Assignment is not decided here.

Called by the job reconciler for each job that changed or whose timeout passed. Order matters: a cancel takes precedence over
every timeout, a timeout over the queue.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, PendingReason, Phase
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.jobs.cancellation import (
    Cancellation,
    confirmation_wait,
    daemon_gone,
    never_started,
    unconfirmed,
)
from provisioner_operator.core.jobs.decisions import (
    Cancel,
    Fail,
    JobDecision,
    Release,
    Resume,
    Suspend,
    Withdraw,
)
from provisioner_operator.core.jobs.timeouts import ACKNOWLEDGE_SECONDS, active_deadline, pending_deadline
from provisioner_operator.core.jobs.workspace_permission import Ownership, reason_to_refuse
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Assignment, Daemon, Job


@dataclass(frozen=True, slots=True)
class Context:
    """Context in which a job is evaluated."""

    daemon: Daemon | None = None
    """Daemon that the job is assigned to, while its object exists and can be parsed."""
    unreadable: bool = False
    """Whether that daemon's object exists and cannot be parsed: then only the end of its Pod is certain."""
    offline: bool = False
    """Whether that daemon misses heartbeats, or reported that it stopped."""
    lost: bool = False
    """Whether that daemon's process is certainly over: fenced, ended with its Pod, or replaced by another."""
    pod_ended: str | None = None
    """Description of how that daemon's Pod ended, if that is why it is lost."""
    workspace: Ownership | None = None
    """Ownership of the Workspace that the job names; None if there is no such Workspace."""
    cancel_seen: float | None = None
    """Time at which this controller first observed the cancel, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Decision that is due for a job, if any, and the seconds after which to evaluate it again if nothing changes."""

    decision: JobDecision | None = None
    requeue_after: float | None = None


def evaluate(job: Job, context: Context, now: Instant) -> Evaluation:
    """Evaluate one job that has not ended."""
    if job.phase is Phase.PENDING:
        return _evaluate_pending(job, context, now)
    return _evaluate_started(job, context, now)


def _evaluate_pending(job: Job, context: Context, now: Instant) -> Evaluation:
    if job.cancel:
        cancellation = never_started(job)
        return Evaluation(Cancel(job, cancellation.reason, cancellation.message))
    workspace = context.workspace
    if workspace is not None and (refused := reason_to_refuse(job, workspace)) is not None:
        # At once, not after a wait: it would hold up the jobs of the owner.
        return Evaluation(Fail(job, *refused))
    if (requested := _requested(job)) is not None:
        return Evaluation(requested)
    overdue = _due(pending_deadline(job), now, _pending_timeout(job))
    if overdue.decision is not None or job.assignment is None:
        return overdue
    if (why := _why_release(job.assignment, context, now)) is not None:
        return Evaluation(Release(job, why))
    acknowledge_in = job.assignment.time + ACKNOWLEDGE_SECONDS - now.wall
    return Evaluation(requeue_after=min(acknowledge_in, overdue.requeue_after or acknowledge_in))


def _requested(job: Job) -> JobDecision | None:
    """Return the decision by which a pending job follows its spec and its deletion, unless its status already does."""
    if job.deleting and (job.assignment is not None or job.reason != PendingReason.BEING_DELETED):
        return Withdraw(job)
    if job.suspend and job.suspended_at is None:
        return Suspend(job)
    if not job.suspend and job.suspended_at is not None:
        return Resume(job)
    return None


def _why_release(assignment: Assignment, context: Context, now: Instant) -> str | None:
    name = assignment.daemon
    if not context.unreadable and (state := _leaving(context)) is not None:
        return f"Daemon {name} {state}; the job had not started and is queued again."
    if now.wall >= assignment.time + ACKNOWLEDGE_SECONDS:
        return f"Daemon {name} did not acknowledge within {ACKNOWLEDGE_SECONDS:.0f} s; the job is queued again."
    return None


def _leaving(context: Context) -> str | None:
    """Describe why the daemon will not acknowledge; None if it may."""
    if context.daemon is None:
        return "is gone"
    if context.offline:
        return "went offline"
    if context.daemon.deleting:
        return "is being deleted"
    return "is draining" if context.daemon.state is DaemonState.DRAINING else None


def _evaluate_started(job: Job, context: Context, now: Instant) -> Evaluation:
    name = job.assignment.daemon if job.assignment is not None else "unknown"
    if context.lost:
        if job.cancel:
            return Evaluation(_finish_cancel(job, daemon_gone(job, name, context.pod_ended)))
        return Evaluation(Fail(job, EndReason.DAEMON_LOST, _daemon_lost(job, name, context)))
    if context.unreadable:
        # What it runs, and for how long it may be silent, is not known: its own end of the job is awaited.
        return Evaluation()
    if job.cancel:
        grace = context.daemon.cancel_grace if context.daemon is not None else 0.0
        seen = now.monotonic if context.cancel_seen is None else context.cancel_seen
        wait = confirmation_wait(seen, grace, now.monotonic)
        return Evaluation(requeue_after=wait) if wait > 0 else Evaluation(_finish_cancel(job, unconfirmed(job, name)))
    if context.daemon is None and job.assignment is not None and job.assignment.instance is not None:
        # The run may go on until the daemon's own fence stops it, and an ended job no longer shows that: a controller
        # that starts meanwhile would give the workspace to the next job. So the job ends only once the loss is certain.
        return Evaluation()
    limit = f"{job.active_deadline:.0f} s"
    message = f"The job did not end within {limit} of its start (spec.activeDeadlineSeconds); its run is stopped."
    return _due(active_deadline(job), now, Fail(job, EndReason.DEADLINE_EXCEEDED, message))


def _daemon_lost(job: Job, name: str, context: Context) -> str:
    cause = "" if context.pod_ended is None else f" (its Pod ended: {context.pod_ended})"
    return (
        f"Daemon {name} was lost{cause} while it ran the job. Check the state, which holds what the run had saved by then, and "
        f"the log if one was saved (ConfigMap {log_archive_name(job.name)}; a run first saves it after ten seconds). Then retry "
        "the job."
    )


def _finish_cancel(job: Job, cancellation: Cancellation) -> Cancel:
    """Cancel in the daemon's place."""
    return Cancel(job, cancellation.reason, cancellation.message)


def _pending_timeout(job: Job) -> Fail:
    limit = f"{job.pending_timeout:.0f} s"
    blocked = f" It was waiting: {job.message}" if job.message else ""
    message = f"The job did not start within {limit} of its creation (spec.pendingTimeoutSeconds).{blocked}"
    return Fail(job, EndReason.PENDING_TIMEOUT, message)


def _due(moment: float | None, now: Instant, decision: JobDecision) -> Evaluation:
    if moment is None:
        return Evaluation()
    return Evaluation(decision) if now.wall >= moment else Evaluation(requeue_after=moment - now.wall)
