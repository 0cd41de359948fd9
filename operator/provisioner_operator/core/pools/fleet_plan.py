"""All pools, one look at a time: what falls to each, how many daemons that takes, and what is to be done about it.

The shell tells it what came of the Pods that it was to make and how long runs took, and calls `decide` with all that it
knows: after a change of a pool, of a Pod or of a pool's daemon at once, after a change of the queue soon, and when
`Round.requeue_after` is over. Nothing in here is authoritative: should it be lost, the next looks find everything again
but the run times, which the pools' own statuses remember.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools import pod_builder
from provisioner_operator.core.pools.autoscaling import (
    Load,
    RecentNeed,
    RunTimes,
    daemons_needed,
    need_changes_in,
    slots_needed,
    within_bounds,
)
from provisioner_operator.core.pools.creation_backoff import Creations
from provisioner_operator.core.pools.decisions import CreatePod, PoolDecision, UpdatePoolStatus
from provisioner_operator.core.pools.load_sharing import Contender, Waiting, queued_for, share
from provisioner_operator.core.pools.members import Member, Trouble
from provisioner_operator.core.pools.plan import Aim, Plan, plan
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.pools.status import COUNTS_SECONDS, is_urgent, status_of

SHORTEST_LOOK_SECONDS = 0.1
"""No two looks for time's sake alone are closer."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool and its Pods as they are now."""

    pool: Pool
    members: tuple[Member, ...] = ()
    refused: str | None = None
    """The API server's words, if it refuses what the pool needs beside new Pods."""

    @property
    def busy_slots(self) -> int:
        """How many of its daemons' slots are taken."""
        return sum(member.held for member in self.members)


@dataclass(frozen=True, slots=True)
class Round:
    """What to do now, and when to look again if nothing changes, in seconds from now."""

    decisions: tuple[PoolDecision, ...]
    requeue_after: float | None = None


@dataclass(slots=True)
class _History:
    """What is remembered of one pool from look to look."""

    run_times: RunTimes
    need: RecentNeed
    creations: Creations = field(default_factory=Creations)
    status_at: float = float("-inf")
    """When its status was last to be written, on the monotonic clock."""


class Fleet:
    """The pools of the namespaces that this controller serves."""

    def __init__(self, default_image: str) -> None:
        self.default_image = default_image
        """Of daemons whose pool names none."""
        self._histories: dict[str, _History] = {}

    # --- what came of it ---

    def created(self, pool_uid: str, name: str) -> None:
        """The Pod that was to be made is there, and `decide` will be told of it from now on."""
        if (history := self._histories.get(pool_uid)) is not None:
            history.creations.created(name)

    def refused(self, pool_uid: str, name: str, trouble: Trouble, now: Instant) -> None:
        """The API server does not let that Pod be made."""
        if (history := self._histories.get(pool_uid)) is not None:
            history.creations.refused(name, trouble, now)

    def unanswered(self, pool_uid: str, name: str) -> None:
        """It is not known whether that Pod was made."""
        if (history := self._histories.get(pool_uid)) is not None:
            history.creations.unanswered(name)

    def try_again(self, pool_uid: str) -> None:
        """The pool's spec changed: what was refused, or failed, may not be any more."""
        if (history := self._histories.get(pool_uid)) is not None:
            history.creations.try_again()

    def run_ended(self, pool_uid: str, seconds: float) -> None:
        """A job ended on one of the pool's daemons, so long after its start."""
        if (history := self._histories.get(pool_uid)) is not None:
            history.run_times.observe(seconds)

    # --- what follows ---

    def decide(self, views: Sequence[PoolView], waiting: Sequence[Waiting], now: Instant) -> Round:
        """Everything that is due for all pools. What is not carried out comes again, but for Pods to be made."""
        self._remember(views, now)
        loads = share(waiting, [self._contender(view) for view in views if not view.pool.deleting])
        decisions: list[PoolDecision] = []
        looks: list[float | None] = []
        for view in views:
            pool = view.pool
            wanted, look = self._wanted(view, loads.get(pool.uid, Load()), now)
            looks.append(look)
            aim = Aim(wanted, pod_builder.revision(pool, self.default_image), self.default_image)
            history = self._histories[pool.uid]
            made = plan(pool, view.members, aim, history.creations.pace(), now)
            for decision in made.decisions:
                if isinstance(decision, CreatePod):
                    history.creations.begin(decision.name)
            decisions.extend(made.decisions)
            looks.append(made.requeue_after)
            status, look = self._status(view, made, queued_for(pool.supply, waiting), now)
            decisions.extend(status)
            looks.append(look)
        look = min((look for look in looks if look is not None), default=None)
        return Round(tuple(decisions), None if look is None else max(look, SHORTEST_LOOK_SECONDS))

    # --- inside ---

    def _remember(self, views: Iterable[PoolView], now: Instant) -> None:
        known, self._histories = self._histories, {}
        for view in views:
            history = known.get(view.pool.uid) or _begin(view)
            history.creations.watch(view.members, now)
            self._histories[view.pool.uid] = history

    def _contender(self, view: PoolView) -> Contender:
        pool, history = view.pool, self._histories[view.pool.uid]
        scaling = pool.autoscaling
        daemons = scaling.max_replicas if scaling is not None else pool.replicas
        if history.creations.pace().failing is not None:
            daemons = min(daemons, sum(member.is_ready for member in view.members))
        return Contender(
            pool.uid,
            pool.name,
            pool.supply,
            slots=daemons * pool.capacity,
            busy=view.busy_slots,
            mean_run=history.run_times.mean,
            target_wait=scaling.target_wait if scaling is not None else 0.0,
        )

    def _wanted(self, view: PoolView, load: Load, now: Instant) -> tuple[int, float | None]:
        """How many daemons the pool is to have, and when that may change by time alone."""
        pool, history = view.pool, self._histories[view.pool.uid]
        scaling = pool.autoscaling
        if scaling is None:
            return pool.replicas, None
        mean = history.run_times.mean
        slots = slots_needed(load, view.busy_slots, mean, scaling.target_wait)
        need = daemons_needed(slots, pool.capacity, scaling)
        wanted = within_bounds(history.need.settle(need, scaling.scale_down_delay, now), scaling)
        looks = (
            history.need.falls_in(scaling.scale_down_delay, now),
            need_changes_in(load, mean, scaling.target_wait),
        )
        return wanted, min((look for look in looks if look is not None), default=None)

    def _status(
        self, view: PoolView, made: Plan, queued: int, now: Instant
    ) -> tuple[tuple[UpdatePoolStatus, ...], float | None]:
        pool, history = view.pool, self._histories[view.pool.uid]
        mean = history.run_times.mean
        census = replace(made.census, refused=view.refused)
        status = status_of(pool, census, queued=queued, mean_run=mean, now=now.wall)
        wait = history.status_at + COUNTS_SECONDS - now.monotonic
        if status == pool.status:
            return (), None
        if wait > 0 and not is_urgent(pool.status, status):
            return (), wait
        history.status_at = now.monotonic
        return (UpdatePoolStatus(pool, status),), None


def _begin(view: PoolView) -> _History:
    """What to assume of a pool that is seen for the first time."""
    present = sum(member.is_present and not member.is_cordoned for member in view.members)
    return _History(RunTimes(view.pool.status.mean_run_seconds), RecentNeed(present))
