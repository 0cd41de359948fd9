"""Plan one pool: Pods to create, daemons to cordon, Pods to delete, and the counts of its status.

Each round plans from the observed state. Two rules come before all others: a Pod whose daemon holds a job, or the only copy
of a workspace's state, is never deleted, and one that may get a job is cordoned first, so that it cannot get one between the plan and the deletion. A
daemon that an admin cordoned is the admin's: a substitute is created, and the daemon is left alone until the pool rolls
out another revision or is deleted. A Pod whose daemon is lost is replaced: it hangs, whatever kubelet reports. Called by `fleet_plan`, which knows the queue and passes the number of daemons
wanted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.creation_backoff import CreationState, pod_names
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
)
from provisioner_operator.core.pools.members import DAEMON_SILENT, Member, Trouble
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.pools.status import PodCounts

FAILED_KEPT_SECONDS = 600.0
"""Time for which the Pod that failed last is kept, for its log and its reason; others are deleted at once."""

LOST_GRACE_SECONDS = 30
"""Grace period of a Pod whose daemon hangs: its runs are over, so that there is nothing to wait for."""

SILENT_SECONDS = 60.0
"""Time that the daemon of a Pod that is ready may take to report; then the pool says so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Decisions that are due, the counts for the status, and the seconds until the next round if nothing changes."""

    decisions: tuple[PoolDecision, ...]
    counts: PodCounts
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """State that the pool is to reach."""

    wanted: int
    revision: str
    default_image: str


def plan(pool: Pool, members: Sequence[Member], target: Target, creation: CreationState, now: Instant) -> Plan:
    """Plan one pool."""
    if pool.deleting:
        return _plan_deletion(pool, members, creation)
    lost = [member for member in members if member.is_lost]
    present = sorted((member for member in members if member.is_present and not member.is_lost), key=_retention_order)
    updated = [member for member in present if member.pod.revision == target.revision]
    current = [member for member in updated if not member.is_cordoned_by_admin]
    outdated = [member for member in present if member.pod.revision != target.revision]
    keep, surplus = current[: target.wanted], current[target.wanted :]
    ready = sum(member.is_ready for member in keep)
    # Until new ones are ready, as many old ones keep working in their place.
    still_useful = [member for member in outdated if member.is_ready and not member.is_cordoned_by_admin]
    spared = still_useful[: target.wanted - ready]
    going = [*lost, *surplus, *(member for member in outdated if member not in spared)]

    deletions, kept_for = _delete_ended(pool, members, now)
    decisions: list[PoolDecision] = [*_uncordon(pool, (*keep, *spared)), *_drain(pool, going), *deletions]
    counts = replace(
        _counted(members),
        wanted=target.wanted,
        updated=len(updated),
        outdated=len(outdated),
        ready=ready,
        draining=len(going),
        trouble=_trouble(keep, creation, now, is_complete=len(current) >= target.wanted),
    )
    looks = [kept_for, None if creation.forget_at is None else creation.forget_at - now.monotonic]
    looks += [left for member in keep if (left := _patience_left(member, now)) is not None and left > 0]
    if DRAIN_FINALIZER not in pool.finalizers:
        return Plan((AddFinalizer(pool), *decisions), counts, kept_for)
    room = target.wanted + (pool.max_surge if outdated else 0) - len(current) - len(outdated) - len(creation.under_way)
    missing = min(target.wanted - len(current) - len(creation.under_way), room)
    if missing > 0 and now.monotonic < creation.resume_at:
        looks.append(creation.resume_at - now.monotonic)
    elif missing > 0:
        if creation.failing is not None:
            missing = min(missing, 1 - len(creation.under_way) - sum(not member.is_ready for member in keep))
        decisions.extend(_create(pool, members, max(missing, 0), target, creation, now))
    return Plan(tuple(decisions), counts, min((look for look in looks if look is not None), default=None))


def _plan_deletion(pool: Pool, members: Sequence[Member], creation: CreationState) -> Plan:
    present = [member for member in members if member.is_present]
    over = [DeletePod(pool, member.pod) for member in members if _can_be_deleted(member)]
    decisions: list[PoolDecision] = [*_drain(pool, present), *over]
    if not members and not creation.under_way and DRAIN_FINALIZER in pool.finalizers:
        decisions.append(RemoveFinalizer(pool))
    return Plan(tuple(decisions), replace(_counted(members), draining=len(present)))


def _retention_order(member: Member) -> tuple[bool, bool, bool, float, str]:
    """Sort members so that those to keep come first: ready, not cordoned, busy, oldest."""
    return (not member.is_ready, member.is_cordoned, not member.held, member.pod.created, member.pod.name)


def _drain(pool: Pool, going: Iterable[Member]) -> Iterable[PoolDecision]:
    """Remove members one step at a time: cordon, wait until no slot is taken and all states are saved, delete."""
    for member in going:
        if member.daemon is not None and not member.daemon.cordoned:
            yield CordonDaemon(pool, member.pod, member.daemon)
        elif not member.is_needed:
            yield DeletePod(pool, member.pod, LOST_GRACE_SECONDS if member.is_lost else None)


def _uncordon(pool: Pool, kept: Iterable[Member]) -> Iterable[PoolDecision]:
    """Lift the pool's cordons, and remove a mark that is left where somebody else uncordoned the daemon."""
    for member in kept:
        if member.daemon is not None and member.daemon.cordoned_by_pool:
            yield UncordonDaemon(pool, member.pod, member.daemon)


def _delete_ended(pool: Pool, members: Sequence[Member], now: Instant) -> tuple[list[PoolDecision], float | None]:
    """Delete ended Pods, but keep the one that failed last for a while; return also the seconds left of that."""
    last = max(
        (member for member in members if member.pod.end is not None and member.pod.end.failed),
        key=lambda member: (_finished(member), member.pod.name),
        default=None,
    )
    kept_for = _finished(last) + FAILED_KEPT_SECONDS - now.wall if last is not None else 0.0
    deletions: list[PoolDecision] = [
        DeletePod(pool, member.pod)
        for member in members
        if _can_be_deleted(member) and not (member is last and kept_for > 0)
    ]
    return deletions, kept_for if kept_for > 0 else None


def _can_be_deleted(member: Member) -> bool:
    return member.is_over and not member.pod.deleting and not member.held


def _finished(member: Member) -> float:
    return member.pod.end.finished if member.pod.end is not None else float("-inf")


def _create(
    pool: Pool, members: Sequence[Member], count: int, target: Target, creation: CreationState, now: Instant
) -> Iterable[PoolDecision]:
    again = creation.unanswered[:count]
    taken = {member.pod.name for member in members}.union(creation.unanswered, creation.under_way)
    names = [*again, *pod_names(pool, count - len(again), taken, now)]
    return (CreatePod(pool, name, target.default_image) for name in names)


def _counted(members: Sequence[Member]) -> PodCounts:
    present = [member for member in members if member.is_present]
    return PodCounts(
        present=len(present),
        idle=sum(member.is_ready and not member.held for member in present),
        busy=sum(member.held > 0 for member in present),
        terminating=sum(member.pod.deleting for member in members),
    )


def _patience_left(member: Member, now: Instant) -> float | None:
    """Return the seconds within which the member's daemon is to report for the first time; None if it need not."""
    return None if member.silent_since is None else member.silent_since + SILENT_SECONDS - now.wall


def _trouble(keep: Sequence[Member], creation: CreationState, now: Instant, *, is_complete: bool) -> Trouble | None:
    """Return the problem that keeps wanted members from being ready: first one that needs somebody's action.

    Once the pool `is_complete`, a former refusal of Pods explains nothing: it may have been fixed, and nobody tries.
    """
    failing = None if creation.is_refused and is_complete else creation.failing
    stuck = [
        Trouble(member.pod.trouble.reason, f"Pod {member.pod.name}: {member.pod.trouble.message}")
        for member in keep
        if member.pod.trouble is not None and not member.is_ready
    ]
    stuck += [_silent(member) for member in keep if (left := _patience_left(member, now)) is not None and left <= 0]
    persistent = next((trouble for trouble in stuck if not trouble.is_transient), failing)
    return persistent or next(iter(stuck), None)


def _silent(member: Member) -> Trouble:
    pod = member.pod
    message = (
        f"Pod {pod.name} is ready, but its daemon has never reported. Its log says why: "
        f"kubectl -n {pod.namespace} logs {pod.name}"
    )
    return Trouble(DAEMON_SILENT, message)
