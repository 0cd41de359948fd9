"""Plan all pools in one round: the jobs that count for each, the daemons it needs, and the decisions that follow.

The pool reconciler reports all changes, the results of creations and the durations of runs, and calls `decide` with the pools that are
`due`, and their Pods: at once after a change of a pool, a Pod or a pool's daemon, soon after a change of the queue, and when
`Round.requeue_after` is over. Nothing in here is authoritative: if it is lost, the next rounds derive everything again,
and the run times come from the pools' statuses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools import pod_builder
from provisioner_operator.core.pools.agenda import PoolAgenda
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
from provisioner_operator.core.pools.plan import Plan, Target, plan
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.pools.start_times import DaemonStarts
from provisioner_operator.core.pools.status import COUNTS_SECONDS, is_urgent, status_of

SHORTEST_LOOK_SECONDS = 0.1
"""Shortest interval between two rounds that only time asked for."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool and its Pods, as observed."""

    pool: Pool
    members: tuple[Member, ...] = ()
    refused: str | None = None
    """Message of the API server, if it refuses a write of the pool other than a new Pod."""

    @property
    def busy_slots(self) -> int:
        """Number of its daemons' slots that are taken."""
        return sum(member.held for member in self.members)


@dataclass(frozen=True, slots=True)
class Round:
    """Decisions that are due, and the seconds until the next round if nothing changes."""

    decisions: tuple[PoolDecision, ...]
    requeue_after: float | None = None


@dataclass(slots=True)
class _History:
    """State of one pool that is kept between rounds."""

    run_times: RunTimes
    need: RecentNeed
    starts: DaemonStarts
    creations: Creations = field(default_factory=Creations)
    status_at: float = float("-inf")
    """Time at which its status was last written, on the monotonic clock."""


class Fleet:
    """Pools of the namespaces that this controller serves."""

    def __init__(self, default_image: str) -> None:
        self._default_image = default_image
        """Image of daemons whose pool sets none."""
        self._histories: dict[str, _History] = {}
        self._agenda = PoolAgenda()

    # --- what changed ---

    def use_image(self, image: str) -> None:
        """Set the image of daemons whose pool sets none."""
        self._default_image = image
        self._agenda.change_all()

    def observe(self, pool: Pool) -> None:
        """Add a pool, or take note that it changed."""
        self._agenda.put(pool)

    def changed(self, pool_uid: str) -> None:
        """Take note that a Pod of the pool changed, its daemon, or what runs there."""
        self._agenda.change(pool_uid)

    def deleted(self, pool_uid: str) -> None:
        """Remove a pool that is gone."""
        self._agenda.discard(pool_uid)
        self._histories.pop(pool_uid, None)

    def leave(self, pool_uid: str) -> None:
        """Drop what is known of the past of a pool that is not planned for now."""
        self._agenda.rest(pool_uid)
        self._histories.pop(pool_uid, None)

    # --- what came of it ---

    def created(self, pool_uid: str, name: str) -> None:
        """Record that the Pod exists and is passed to `decide` from now on."""
        if (history := self._changed_history(pool_uid)) is not None:
            history.creations.created(name)

    def refused(self, pool_uid: str, name: str, trouble: Trouble, now: Instant) -> None:
        """Record that the API server refused the Pod."""
        if (history := self._changed_history(pool_uid)) is not None:
            history.creations.refused(name, trouble, now)

    def unanswered(self, pool_uid: str, name: str) -> None:
        """Record that the request for the Pod had no answer."""
        if (history := self._changed_history(pool_uid)) is not None:
            history.creations.unanswered(name)

    def try_again(self, pool_uid: str) -> None:
        """Retry at once what was refused or failed: the pool's spec changed."""
        if (history := self._changed_history(pool_uid)) is not None:
            history.creations.try_again()

    def run_ended(self, pool_uid: str, seconds: float) -> None:
        """Record the duration of a run that ended on one of the pool's daemons."""
        if (history := self._changed_history(pool_uid)) is not None:
            history.run_times.observe(seconds)

    # --- what follows ---

    def due(self, waiting: Iterable[Waiting], now: Instant) -> list[str]:
        """Return the uids of the pools that this round has to plan: of all others, the plan would be the last one again."""
        return self._agenda.take((each.demand for each in waiting), now)

    def decide(self, views: Sequence[PoolView], waiting: Sequence[Waiting], now: Instant) -> Round:
        """Return all decisions that are due. Those not carried out are made again, except creations in flight."""
        self._remember(views, now)
        loads = share(waiting, [self._contender(view) for view in views if not view.pool.deleting])
        decisions = [
            decision
            for view in views
            for decision in self._plan(
                view, loads.get(view.pool.uid, Load()), queued_for(view.pool.supply, waiting), now
            )
        ]
        look = self._agenda.next_in(now)
        return Round(tuple(decisions), None if look is None else max(look, SHORTEST_LOOK_SECONDS))

    # --- inside ---

    def _changed_history(self, pool_uid: str) -> _History | None:
        self._agenda.change(pool_uid)
        return self._histories.get(pool_uid)

    def _remember(self, views: Iterable[PoolView], now: Instant) -> None:
        for view in views:
            history = self._histories.get(view.pool.uid)
            if history is None:
                history = self._histories[view.pool.uid] = _begin(view, now)
            history.creations.watch(view.members, now)
            history.starts.observe(view.members)

    def _plan(self, view: PoolView, load: Load, queued: int, now: Instant) -> tuple[PoolDecision, ...]:
        """Return the decisions about one pool, and note when it has to be planned again."""
        pool, history = view.pool, self._histories[view.pool.uid]
        wanted, need_look = self._wanted(view, load, now)
        target = Target(wanted, pod_builder.revision(pool, self._default_image), self._default_image)
        made = plan(pool, view.members, target, history.creations.state(), now)
        for decision in made.decisions:
            if isinstance(decision, CreatePod):
                history.creations.begin(decision.name)
        status, status_look = self._status(view, made, queued, now)
        looks = [look for look in (need_look, made.requeue_after, status_look) if look is not None]
        self._agenda.plan_in(pool.uid, min(looks, default=None), now)
        decisions = (*made.decisions, *status)
        # What is not carried out has to be decided again, and how Pods fare after a failure shows at any time.
        if decisions or not history.creations.is_quiet:
            self._agenda.change(pool.uid)
        return decisions

    def _contender(self, view: PoolView) -> Contender:
        pool, history = view.pool, self._histories[view.pool.uid]
        scaling = pool.autoscaling
        daemons = scaling.max_replicas if scaling is not None else pool.replicas
        if history.creations.state().failing is not None:
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
        """Return the number of daemons that the pool needs, and the seconds until that may change by time alone."""
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
        counts = replace(made.counts, refused=view.refused)
        starts = history.starts.seconds
        status = status_of(pool, counts, queued=queued, mean_run=mean, starts=starts, now=now.wall)
        wait = history.status_at + COUNTS_SECONDS - now.monotonic
        if status == pool.status:
            return (), None
        if wait > 0 and not is_urgent(pool.status, status):
            return (), wait
        history.status_at = now.monotonic
        return (UpdatePoolStatus(pool, status),), None


def _begin(view: PoolView, now: Instant) -> _History:
    """Return the initial state of a pool that is observed for the first time."""
    present = sum(member.is_present and not member.is_cordoned for member in view.members)
    status = view.pool.status
    return _History(
        RunTimes(status.mean_run_seconds), RecentNeed(present), DaemonStarts(status.start_seconds, now.wall)
    )
