"""What to do about one pool: which Pods to make, which daemons to cordon, which Pods to delete, what its status says.

One look at the pool as it is; every look finds what is still to do. Two rules go before all others: a Pod whose daemon
holds a job is never deleted, and one that may get a job is cordoned first, so that between the look and the deletion it
cannot get one. A daemon that an admin cordoned is the admin's: a substitute is made, and it is left alone until the pool
rolls out another revision or is deleted. Called by `fleet`; knows no queue: how many daemons are wanted comes from
`scaling`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.creation_backoff import Pace, pod_names
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
)
from provisioner_operator.core.pools.members import Member, Trouble
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.pools.status import Census

FAILED_KEPT_SECONDS = 600.0
"""The Pod that failed last is kept for so long, for its log and its reason; others go at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, what the status is made from, and when to look again if nothing changes, in seconds from now."""

    decisions: tuple[PoolDecision, ...]
    census: Census
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What the pool is to become."""

    wanted: int
    revision: str
    default_image: str


def plan(pool: Pool, members: Sequence[Member], aim: Aim, pace: Pace, now: Instant) -> Plan:
    """The plan for the pool as it is."""
    if pool.deleting:
        return _plan_farewell(pool, members, pace)
    present = sorted((member for member in members if member.is_present), key=_worth)
    updated = [member for member in present if member.pod.revision == aim.revision]
    current = [member for member in updated if not member.is_held_back]
    outdated = [member for member in present if member.pod.revision != aim.revision]
    keep, surplus = current[: aim.wanted], current[aim.wanted :]
    ready = sum(member.is_ready for member in keep)
    # Until new ones are ready, as many old ones go on in their place.
    still_useful = [member for member in outdated if member.is_ready and not member.is_held_back]
    spared = still_useful[: aim.wanted - ready]
    going = [*surplus, *(member for member in outdated if member not in spared)]

    farewells, keep_until = _bury(pool, members, now)
    decisions: list[PoolDecision] = [*_uncordon(pool, (*keep, *spared)), *_drain(pool, going), *farewells]
    census = replace(
        _census(members),
        wanted=aim.wanted,
        updated=len(updated),
        outdated=len(outdated),
        ready=ready,
        draining=len(going),
        trouble=_trouble(keep, pace),
    )
    looks = [keep_until]
    if DRAIN_FINALIZER not in pool.finalizers:
        return Plan((AddFinalizer(pool), *decisions), census, keep_until)
    room = aim.wanted + (pool.max_surge if outdated else 0) - len(current) - len(outdated) - len(pace.under_way)
    missing = min(aim.wanted - len(current) - len(pace.under_way), room)
    if missing > 0 and now.monotonic < pace.resume_at:
        looks.append(pace.resume_at - now.monotonic)
    elif missing > 0:
        if pace.failing is not None:
            missing = min(missing, 1 - len(pace.under_way) - sum(not member.is_ready for member in keep))
        decisions.extend(_create(pool, members, max(missing, 0), aim, pace, now))
    return Plan(tuple(decisions), census, min((look for look in looks if look is not None), default=None))


def _plan_farewell(pool: Pool, members: Sequence[Member], pace: Pace) -> Plan:
    present = [member for member in members if member.is_present]
    over = [DeletePod(pool, member.pod) for member in members if _can_be_buried(member)]
    decisions: list[PoolDecision] = [*_drain(pool, present), *over]
    if not members and not pace.under_way and DRAIN_FINALIZER in pool.finalizers:
        decisions.append(RemoveFinalizer(pool))
    return Plan(tuple(decisions), replace(_census(members), draining=len(present)))


def _worth(member: Member) -> tuple[bool, bool, bool, float, str]:
    """The order in which members are kept: ready before not, taking jobs before cordoned, busy before idle, oldest first."""
    return (not member.is_ready, member.is_cordoned, not member.held, member.pod.created, member.pod.name)


def _drain(pool: Pool, going: Iterable[Member]) -> Iterable[PoolDecision]:
    """Cordon, wait until it is clear, delete: one step at a time."""
    for member in going:
        if member.daemon is not None and not member.daemon.cordoned:
            yield CordonDaemon(pool, member.pod, member.daemon)
        elif not member.held:
            yield DeletePod(pool, member.pod)


def _uncordon(pool: Pool, kept: Iterable[Member]) -> Iterable[PoolDecision]:
    """Take the pool's cordons back; also a mark that stayed when somebody else uncordoned the daemon."""
    for member in kept:
        if member.daemon is not None and member.daemon.cordoned_by_pool:
            yield UncordonDaemon(pool, member.pod, member.daemon)


def _bury(pool: Pool, members: Sequence[Member], now: Instant) -> tuple[list[PoolDecision], float | None]:
    """Delete the Pods that are over, but keep the one that failed last for a while; and how long yet, in seconds."""
    last = max(
        (member for member in members if member.pod.end is not None and member.pod.end.failed),
        key=lambda member: (_finished(member), member.pod.name),
        default=None,
    )
    kept_for = _finished(last) + FAILED_KEPT_SECONDS - now.wall if last is not None else 0.0
    buried: list[PoolDecision] = [
        DeletePod(pool, member.pod)
        for member in members
        if _can_be_buried(member) and not (member is last and kept_for > 0)
    ]
    return buried, kept_for if kept_for > 0 else None


def _can_be_buried(member: Member) -> bool:
    return member.is_over and not member.pod.deleting and not member.held


def _finished(member: Member) -> float:
    return member.pod.end.finished if member.pod.end is not None else float("-inf")


def _create(
    pool: Pool, members: Sequence[Member], count: int, aim: Aim, pace: Pace, now: Instant
) -> Iterable[PoolDecision]:
    again = pace.unanswered[:count]
    taken = {member.pod.name for member in members}.union(pace.unanswered, pace.under_way)
    names = [*again, *pod_names(pool, count - len(again), taken, now)]
    return (CreatePod(pool, name, aim.default_image) for name in names)


def _census(members: Sequence[Member]) -> Census:
    present = [member for member in members if member.is_present]
    return Census(
        present=len(present),
        idle=sum(member.is_ready and not member.held for member in present),
        busy=sum(member.held > 0 for member in present),
        told_to_end=sum(member.pod.deleting for member in members),
    )


def _trouble(keep: Iterable[Member], pace: Pace) -> Trouble | None:
    """What keeps the wanted ones from being ready: first what somebody has to mend."""
    stuck = [
        Trouble(member.pod.trouble.reason, f"Pod {member.pod.name}: {member.pod.trouble.message}")
        for member in keep
        if member.pod.trouble is not None and not member.is_ready
    ]
    to_mend = next((trouble for trouble in stuck if not trouble.passes_by_itself), pace.failing)
    return to_mend or next(iter(stuck), None)
