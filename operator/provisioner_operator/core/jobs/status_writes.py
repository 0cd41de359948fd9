"""Build every write to a job's status as a conditional JSON Patch (RFC 6902).

Preconditions are on meaning (uid, phase, assignment), not on resourceVersion, so that an unrelated edit does not cost a
retry. A failed precondition is answered with 422 and is news: another writer was first. All paths may be
tested, only `/status` is changed. Used by the controller's writer and by the daemon; no other module builds
writes of this status.
"""

from provisioner_operator.api.v1alpha1.enums import (
    CancelReason,
    ConditionStatus,
    EndReason,
    JobCondition,
    PendingReason,
    Phase,
)
from provisioner_operator.api.v1alpha1.limits import LONGEST_SUSPENSION_SECONDS
from provisioner_operator.core.jobs.cancellation import Cancellation, answered, canceled_by, stopping
from provisioner_operator.core.jobs.lifecycle import require_legal
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.jobs.outcome_fields import outcome_fields
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.json_patch import Field, JsonPatch, clip, conditions_json, timestamp
from provisioner_operator.core.model.json_value import JsonValue
from provisioner_operator.core.model.records import Assignment, Condition, Daemon, EndedJob, Job

_MAY_START: tuple[Field, ...] = (
    ("/spec/cancel", False),
    ("/spec/suspend", False),
    ("/metadata/deletionTimestamp", None),
)
"""Conditions under which a pending job may be assigned, and its assignment acknowledged."""


def assign(job: Job, daemon: Daemon, assignment_id: str, now: float) -> JsonPatch:
    """Return the write that gives a pending job to a daemon; the job starts only when that daemon acknowledges."""
    message = f"Assigned to daemon {daemon.name}."
    conditions = with_condition(job.conditions, JobCondition.ASSIGNED, ConditionStatus.TRUE, "Assigned", message, now)
    conditions = _not_ready(conditions, Phase.PENDING, message, now)
    assignment = Assignment(daemon.name, daemon.uid, assignment_id, now)
    return JsonPatch(
        tests=(*_pending(job), *_MAY_START, ("/status/assignment", None)),
        sets=(
            ("/status/assignment", _assignment_json(assignment, daemon.pod_uid)),
            ("/status/observedGeneration", job.generation),
            ("/status/conditions", conditions_json(conditions)),
        ),
        removes=_present(job, "reason", "message"),
    )


def release(job: Job, why: str, now: float) -> JsonPatch:
    """Return the write that takes back an unacknowledged assignment: the job never started and returns to the queue."""
    conditions = with_condition(
        job.conditions, JobCondition.ASSIGNED, ConditionStatus.FALSE, "Released", clip(why), now
    )
    return JsonPatch(
        tests=(*_pending(job), *_same_assignment(job)),
        sets=(("/status/conditions", conditions_json(conditions)),),
        removes=("/status/assignment",),
    )


def set_pending_reason(job: Job, reason: PendingReason, message: str, now: float) -> JsonPatch:
    """Return the write that explains why a job is pending; takes back an assignment that was not acknowledged."""
    message = clip(message)
    conditions = with_condition(job.conditions, JobCondition.ASSIGNED, ConditionStatus.FALSE, reason, message, now)
    conditions = _not_ready(conditions, reason, message, now)
    return JsonPatch(
        tests=(*_pending(job), *_same_assignment(job)),
        sets=(
            ("/status/reason", reason),
            ("/status/message", message),
            ("/status/observedGeneration", job.generation),
            ("/status/conditions", conditions_json(conditions)),
        ),
        removes=_present(job, "assignment"),
    )


def suspend(job: Job, message: str, now: float) -> JsonPatch:
    """Return the write that stops a pending job's timeout, and takes back an assignment that was not acknowledged.

    A job that was created suspended never waited: its suspension counts from its creation.
    """
    since = job.created if job.generation == 1 else now
    conditions = with_condition(
        job.conditions, JobCondition.ASSIGNED, ConditionStatus.FALSE, PendingReason.SUSPENDED, message, now
    )
    conditions = _not_ready(conditions, PendingReason.SUSPENDED, message, now)
    return JsonPatch(
        tests=(*_pending(job), ("/spec/suspend", True), *_same_assignment(job)),
        sets=(
            ("/status/suspendedAt", timestamp(since)),
            ("/status/reason", PendingReason.SUSPENDED),
            ("/status/message", message),
            ("/status/observedGeneration", job.generation),
            ("/status/conditions", conditions_json(conditions)),
        ),
        removes=_present(job, "assignment"),
    )


def resume(job: Job, now: float) -> JsonPatch:
    """Return the write that continues a pending job's timeout, without the time for which it was suspended."""
    suspended = now - (job.suspended_at if job.suspended_at is not None else now)
    return JsonPatch(
        tests=(*_pending(job), ("/spec/suspend", False)),
        sets=(
            (
                "/status/suspendedSeconds",
                min(round(job.suspended_seconds + max(suspended, 0)), LONGEST_SUSPENSION_SECONDS),
            ),
            ("/status/observedGeneration", job.generation),
        ),
        removes=_present(job, "suspended_at", "reason", "message"),
    )


def acknowledge(job: Job, instance: str, now: float) -> JsonPatch:
    """Return the write with which a daemon's process, `instance`, takes the job: from then on it runs."""
    if job.assignment is None:
        raise ValueError(f"{job.display_name} has no assignment to acknowledge")
    require_legal(job.phase, Phase.RUNNING)
    message = f"Running on daemon {job.assignment.daemon}."
    return JsonPatch(
        tests=(*_pending(job), *_same_assignment(job), *_MAY_START),
        sets=(
            ("/status/phase", Phase.RUNNING),
            ("/status/assignment/instance", instance),
            ("/status/startedAt", timestamp(now)),
            ("/status/observedGeneration", job.generation),
            ("/status/conditions", conditions_json(_not_ready(job.conditions, Phase.RUNNING, message, now))),
        ),
    )


def begin_cancel(job: Job, now: float) -> JsonPatch:
    """Return the write with which a daemon reports that a canceled run takes its time to stop."""
    require_legal(job.phase, Phase.CANCELING)
    cancellation = stopping(job)
    conditions = _cancel_requested(job.conditions, cancellation, now)
    return JsonPatch(
        tests=_started(job),
        sets=(
            ("/status/phase", Phase.CANCELING),
            ("/status/message", cancellation.message),
            ("/status/observedGeneration", job.generation),
            (
                "/status/conditions",
                conditions_json(_not_ready(conditions, Phase.CANCELING, cancellation.message, now)),
            ),
        ),
    )


def finish(job: Job, outcome: Outcome, now: float) -> JsonPatch:
    """Return the write with which a daemon reports the end of a run, from Running or Canceling."""
    conditions = job.conditions
    if job.cancel:
        conditions = _cancel_requested(conditions, answered(job, outcome.phase), now)
    canceled = outcome.phase is Phase.CANCELED
    message = f"{canceled_by(job)} {outcome.message}" if canceled else outcome.message
    return JsonPatch(
        # A cancel that the daemon has not seen yet is recorded as too late, and not left without an answer.
        tests=(*_started(job), ("/spec/cancel", job.cancel)),
        sets=(*_end(job, outcome.phase, outcome.reason, message, conditions, now), *outcome_fields(outcome)),
    )


def end(job: Job, phase: Phase, reason: EndReason, message: str, now: float) -> JsonPatch:
    """Return the write with which the controller ends a job: a deadline passed, or its daemon is gone."""
    tests = _pending(job) if job.phase is Phase.PENDING else _started(job)
    # A cancel that arrives meanwhile takes precedence over any deadline.
    tests = (*tests, ("/spec/cancel", job.cancel))
    return JsonPatch(tests=tests, sets=_end(job, phase, reason, message, job.conditions, now))


def cancel(job: Job, reason: CancelReason, message: str, now: float) -> JsonPatch:
    """Return the write with which the controller completes a cancel that no daemon can confirm."""
    conditions = _cancel_requested(job.conditions, Cancellation(reason, message), now)
    tests = _pending(job) if job.phase is Phase.PENDING else _started(job)
    sets = _end(job, Phase.CANCELED, EndReason.CANCELED, message, conditions, now)
    return JsonPatch(tests=(*tests, ("/spec/cancel", True)), sets=sets)


def record_generation(job: EndedJob) -> JsonPatch:
    """Return the write that records the generation of an ended job, whose end stays as it is."""
    generation = job.unobserved_generation
    return JsonPatch(
        tests=(("/metadata/uid", job.uid), ("/metadata/generation", generation)),
        sets=(("/status/observedGeneration", generation),),
    )


def _end(
    job: Job, phase: Phase, reason: EndReason, message: str, conditions: tuple[Condition, ...], now: float
) -> tuple[Field, ...]:
    require_legal(job.phase, phase)
    message = clip(message)
    succeeded = phase is Phase.COMPLETED
    ready = ConditionStatus.TRUE if succeeded else ConditionStatus.FALSE
    conditions = with_condition(conditions, JobCondition.READY, ready, reason, message, now)
    if job.phase is Phase.PENDING and job.assignment is None:
        conditions = with_condition(conditions, JobCondition.ASSIGNED, ConditionStatus.FALSE, reason, message, now)
    if not succeeded:
        conditions = with_condition(conditions, JobCondition.STALLED, ConditionStatus.TRUE, reason, message, now)
    return (
        ("/status/phase", phase),
        ("/status/reason", reason),
        ("/status/message", message),
        ("/status/finishedAt", timestamp(now)),
        ("/status/observedGeneration", job.generation),
        ("/status/conditions", conditions_json(conditions)),
    )


def _cancel_requested(
    conditions: tuple[Condition, ...], cancellation: Cancellation, now: float
) -> tuple[Condition, ...]:
    return with_condition(
        conditions,
        JobCondition.CANCEL_REQUESTED,
        ConditionStatus.TRUE,
        cancellation.reason,
        clip(cancellation.message),
        now,
    )


def _not_ready(conditions: tuple[Condition, ...], reason: str, message: str, now: float) -> tuple[Condition, ...]:
    return with_condition(conditions, JobCondition.READY, ConditionStatus.FALSE, reason, message, now)


def _pending(job: Job) -> tuple[Field, ...]:
    return (("/metadata/uid", job.uid), ("/status/phase", Phase.PENDING))


def _started(job: Job) -> tuple[Field, ...]:
    return (("/metadata/uid", job.uid), ("/status/phase", job.phase), *_same_assignment(job))


def _same_assignment(job: Job) -> tuple[Field, ...]:
    if job.assignment is None:
        return (("/status/assignment", None),)
    return (("/status/assignment/id", job.assignment.id),)


_STATUS_FIELDS = {"reason": "reason", "message": "message", "assignment": "assignment", "suspended_at": "suspendedAt"}


def _present(job: Job, *fields: str) -> tuple[str, ...]:
    """Return the paths of those fields that the job has: JSON Patch cannot remove an absent one."""
    return tuple(f"/status/{_STATUS_FIELDS[field]}" for field in fields if getattr(job, field) is not None)


def _assignment_json(assignment: Assignment, pod_uid: str | None) -> JsonValue:
    return {
        "daemon": assignment.daemon,
        "daemonUID": assignment.daemon_uid,
        **({"podUID": pod_uid} if pod_uid is not None else {}),
        "id": assignment.id,
        "time": timestamp(assignment.time),
    }
