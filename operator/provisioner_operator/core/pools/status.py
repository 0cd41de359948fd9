"""Derive a pool's status, and decide when a change of it is worth a write.

A job that starts or ends changes the counts, so counts alone are written at most every few seconds; changes that an
admin or an autoscaler acts on (sizes, conditions, the observed generation) are written at once. Called by `plan` and
`fleet_plan`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, PoolCondition, PoolReason
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.json_patch import JsonPatch, clip, conditions_json
from provisioner_operator.core.model.json_value import JsonValue
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.pools.members import Trouble
from provisioner_operator.core.pools.pod_builder import selector
from provisioner_operator.core.pools.records import Pool, PoolStatus

COUNTS_SECONDS = 5.0
"""Longest delay of a write that changes nothing but counts."""

_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]{0,62}[A-Za-z0-9_])?\Z")
_FIRST_IMPRECISE = 100
"""Seconds from which on a mean run time is rounded to two digits, so that not every run changes it."""


@dataclass(frozen=True, slots=True)
class PodCounts:
    """Numbers of a pool's Pods."""

    wanted: int = 0
    present: int = 0
    """Pods that have not ended and are not being deleted."""
    updated: int = 0
    outdated: int = 0
    """Present Pods of another revision, which are to be replaced."""
    ready: int = 0
    """Wanted Pods that are ready and up to date."""
    draining: int = 0
    """Pods that are to be deleted once they have no job."""
    terminating: int = 0
    idle: int = 0
    busy: int = 0
    trouble: Trouble | None = None
    """Problem that keeps the wanted Pods from being ready."""
    refused: str | None = None
    """Message of the API server, if it refuses a write of the pool other than a new Pod."""


def status_of(
    pool: Pool, counts: PodCounts, *, queued: int, mean_run: float | None, starts: Sequence[int] = (), now: float
) -> PoolStatus:
    """Return the current status; conditions keep their transition times."""
    return PoolStatus(
        replicas=counts.present,
        desired_replicas=counts.wanted,
        updated_replicas=counts.updated,
        idle=counts.idle,
        busy=counts.busy,
        queued=queued,
        mean_run_seconds=None if mean_run is None else _rounded(mean_run),
        start_seconds=tuple(starts),
        selector=selector(pool),
        observed_generation=pool.generation,
        conditions=_conditions(pool, counts, now),
    )


def is_urgent(written: PoolStatus, wanted: PoolStatus) -> bool:
    """Return whether the change concerns more than counts and messages."""
    return _gist(written) != _gist(wanted)


def status_patch(pool: Pool, status: PoolStatus) -> JsonPatch:
    """Return the write of the whole status, which has no other author."""
    present = {name: value for name, value in _fields(status).items() if value is not None}
    return JsonPatch(tests=(("/metadata/uid", pool.uid),), sets=(("/status", present),))


@dataclass(frozen=True, slots=True)
class _Assessment:
    ready: bool
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False


def _conditions(pool: Pool, counts: PodCounts, now: float) -> tuple[Condition, ...]:
    assessment = _assess(pool, counts)
    message = clip(assessment.message)
    conditions = pool.status.conditions
    for type_, holds, reason in (
        (PoolCondition.READY, assessment.ready, assessment.reason),
        (PoolCondition.RECONCILING, assessment.reconciling, assessment.reason),
        (PoolCondition.STALLED, assessment.stalled, _stalled_reason(assessment)),
    ):
        status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
        says = message if holds or type_ is PoolCondition.READY else ""
        conditions = with_condition(conditions, type_, status, reason, says, now)
    return conditions


def _assess(pool: Pool, counts: PodCounts) -> _Assessment:
    so_far = f"{counts.ready} of {counts.wanted} daemons are ready"
    if pool.deleting:
        left = counts.present + counts.terminating
        so_far = f"The pool is being deleted: {left} daemons are left, {counts.busy} with jobs"
    elif counts.trouble is not None and counts.ready < counts.wanted:
        return _assess_trouble(counts.trouble, so_far)
    # After the trouble with Pods, which explains more: other refused writes are retried in any case.
    if counts.refused is not None:
        message = f"{so_far}. {counts.refused}"
        return _Assessment(ready=False, reason=PoolReason.WRITE_REFUSED, message=message, stalled=True)
    if pool.deleting:
        return _Assessment(ready=False, reason=PoolReason.DRAINING, message=f"{so_far}.", reconciling=True)
    if counts.outdated:
        message = f"{so_far} and up to date; {counts.outdated} of an older revision will be replaced."
        return _Assessment(ready=False, reason=PoolReason.ROLLING_OUT, message=message, reconciling=True)
    if counts.ready < counts.wanted:
        return _Assessment(ready=False, reason=PoolReason.SCALING_UP, message=f"{so_far}.", reconciling=True)
    return _assess_ready(counts, so_far)


def _assess_trouble(trouble: Trouble, so_far: str) -> _Assessment:
    message = f"{so_far}. {trouble.message}"
    fails = not trouble.is_transient
    return _Assessment(
        ready=False, reason=_as_reason(trouble.reason), message=message, reconciling=not fails, stalled=fails
    )


def _assess_ready(counts: PodCounts, so_far: str) -> _Assessment:
    leaving = f"; draining {counts.draining} more." if counts.draining else "."
    if counts.wanted == 0:
        return _Assessment(ready=True, reason=PoolReason.SCALED_TO_ZERO, message=f"No daemons are needed{leaving}")
    return _Assessment(ready=True, reason=PoolReason.DAEMONS_READY, message=f"{so_far}{leaving}")


def _stalled_reason(assessment: _Assessment) -> str:
    """Return the reason of Stalled: PodsFailing in place of a container's own reason, which only `Ready` repeats."""
    is_known = not assessment.stalled or assessment.reason == PoolReason.WRITE_REFUSED
    return assessment.reason if is_known else PoolReason.PODS_FAILING


def _as_reason(word: str) -> str:
    """Turn a reason of another component into a condition's reason; the message quotes it even if it is not a valid one."""
    return word if _REASON.match(word) else PoolReason.PODS_FAILING


def _gist(status: PoolStatus) -> PoolStatus:
    conditions = tuple(replace(each, reason="", message="", since=0.0) for each in status.conditions)
    return replace(status, idle=0, busy=0, queued=0, mean_run_seconds=None, start_seconds=(), conditions=conditions)


def _rounded(seconds: float) -> int:
    whole = round(seconds)
    return whole if whole < _FIRST_IMPRECISE else round(whole, 2 - len(str(whole)))


def _fields(status: PoolStatus) -> dict[str, JsonValue]:
    return {
        "replicas": status.replicas,
        "desiredReplicas": status.desired_replicas,
        "updatedReplicas": status.updated_replicas,
        "idle": status.idle,
        "busy": status.busy,
        "queued": status.queued,
        "meanRunSeconds": status.mean_run_seconds,
        "startSeconds": list(status.start_seconds) or None,
        "selector": status.selector,
        "observedGeneration": status.observed_generation,
        "conditions": conditions_json(status.conditions),
    }
