"""What a pool's status says, and when a change of it is worth a write.

A job that starts or ends changes the counts, so counts alone are written at most every few seconds; what an admin or an
autoscaler acts on (sizes, conditions, the generation seen) at once. Called by `pools` and `fleet`.
"""

import re
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
"""How old the counts of a status may become."""

_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]{0,62}[A-Za-z0-9_])?\Z")
_FIRST_IMPRECISE = 100
"""Seconds from which on a mean run time is rounded to two digits, so that each further run does not change it."""


@dataclass(frozen=True, slots=True)
class Census:
    """A pool's Pods, counted."""

    wanted: int = 0
    present: int = 0
    """Those that are neither over nor told to end."""
    updated: int = 0
    outdated: int = 0
    """Those of another revision, that are present and to be replaced."""
    ready: int = 0
    """Of the wanted ones, those that are ready and up to date."""
    draining: int = 0
    """Those that are to go once they have no job."""
    told_to_end: int = 0
    idle: int = 0
    busy: int = 0
    trouble: Trouble | None = None
    """What keeps the wanted ones from being ready."""
    refused: str | None = None
    """The API server's words, if it refuses what the pool needs beside new Pods."""


def status_of(pool: Pool, census: Census, *, queued: int, mean_run: float | None, now: float) -> PoolStatus:
    """The status that holds now; its conditions keep the time since when they hold."""
    return PoolStatus(
        replicas=census.present,
        desired_replicas=census.wanted,
        updated_replicas=census.updated,
        idle=census.idle,
        busy=census.busy,
        queued=queued,
        mean_run_seconds=None if mean_run is None else _rounded(mean_run),
        selector=selector(pool),
        observed_generation=pool.generation,
        conditions=_conditions(pool, census, now),
    )


def is_urgent(written: PoolStatus, wanted: PoolStatus) -> bool:
    """Whether the change is more than one of counts and words."""
    return _gist(written) != _gist(wanted)


def status_patch(pool: Pool, status: PoolStatus) -> JsonPatch:
    """The write: the whole status, for nobody else writes it."""
    present = {name: value for name, value in _fields(status).items() if value is not None}
    return JsonPatch(tests=(("/metadata/uid", pool.uid),), sets=(("/status", present),))


@dataclass(frozen=True, slots=True)
class _Summary:
    ready: bool
    reason: str
    message: str
    reconciling: bool = False
    stalled: bool = False


def _conditions(pool: Pool, census: Census, now: float) -> tuple[Condition, ...]:
    summary = _summarize(pool, census)
    message = clip(summary.message)
    conditions = pool.status.conditions
    for type_, holds, reason in (
        (PoolCondition.READY, summary.ready, summary.reason),
        (PoolCondition.RECONCILING, summary.reconciling, summary.reason),
        (PoolCondition.STALLED, summary.stalled, _stalled_reason(summary)),
    ):
        status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
        says = message if holds or type_ is PoolCondition.READY else ""
        conditions = with_condition(conditions, type_, status, reason, says, now)
    return conditions


def _summarize(pool: Pool, census: Census) -> _Summary:
    so_far = f"{census.ready} of {census.wanted} daemons are ready"
    if pool.deleting:
        so_far = f"The pool is being deleted: {census.present + census.told_to_end} daemons are left, {census.busy} with jobs"
    elif census.trouble is not None and census.ready < census.wanted:
        return _summarize_trouble(census.trouble, so_far)
    # After the trouble with Pods, which says more: what is refused beside them is tried again all the same.
    if census.refused is not None:
        message = f"{so_far}. {census.refused}"
        return _Summary(ready=False, reason=PoolReason.WRITE_REFUSED, message=message, stalled=True)
    if pool.deleting:
        return _Summary(ready=False, reason=PoolReason.DRAINING, message=f"{so_far}.", reconciling=True)
    if census.outdated:
        message = f"{so_far} and up to date; {census.outdated} of a former revision are to be replaced."
        return _Summary(ready=False, reason=PoolReason.ROLLING_OUT, message=message, reconciling=True)
    if census.ready < census.wanted:
        return _Summary(ready=False, reason=PoolReason.SCALING_UP, message=f"{so_far}.", reconciling=True)
    return _summarize_ready(census, so_far)


def _summarize_trouble(trouble: Trouble, so_far: str) -> _Summary:
    message = f"{so_far}. {trouble.message}"
    fails = not trouble.passes_by_itself
    return _Summary(
        ready=False, reason=_as_reason(trouble.reason), message=message, reconciling=not fails, stalled=fails
    )


def _summarize_ready(census: Census, so_far: str) -> _Summary:
    leaving = f"; {census.draining} more finish their jobs and go." if census.draining else "."
    if census.wanted == 0:
        return _Summary(ready=True, reason=PoolReason.SCALED_TO_ZERO, message=f"No daemon is wanted{leaving}")
    return _Summary(ready=True, reason=PoolReason.DAEMONS_READY, message=f"{so_far}{leaving}")


def _stalled_reason(summary: _Summary) -> str:
    """Two words for what is stalled; `Ready` has the container's own reason."""
    is_known = not summary.stalled or summary.reason == PoolReason.WRITE_REFUSED
    return summary.reason if is_known else PoolReason.PODS_FAILING


def _as_reason(word: str) -> str:
    """A foreign word as a condition's reason; what a condition does not take stands in the message anyway."""
    return word if _REASON.match(word) else PoolReason.PODS_FAILING


def _gist(status: PoolStatus) -> PoolStatus:
    conditions = tuple(replace(each, reason="", message="", since=0.0) for each in status.conditions)
    return replace(status, idle=0, busy=0, queued=0, mean_run_seconds=None, conditions=conditions)


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
        "selector": status.selector,
        "observedGeneration": status.observed_generation,
        "conditions": conditions_json(status.conditions),
    }
