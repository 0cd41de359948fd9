"""What the API server said about pools and their Pods, and when to look at them.

The shell tells it what it observed and calls `decide` as often as it calls the mirror's. A change of a pool or of one of
its Pods is looked at in the same round; what else may have changed (queue, slots, heartbeats) at most once a second.
What a pool's daemons do and which jobs wait it asks the mirror, so both always speak of the same moment.
"""

from collections.abc import Iterator

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.pools.decisions import PoolDecision, subject
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import Member, PoolDaemon, PoolPod, Trouble
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.jobs import Mirror

LOOK_SECONDS = 1.0
"""Between two looks that only the queue asked for."""


class PoolMirror:
    """The pools of the namespaces that this controller serves."""

    def __init__(self, mirror: Mirror, default_image: str) -> None:
        self._mirror = mirror
        self._fleet = Fleet(default_image)
        self._pools: dict[str, Pool] = {}
        self._pods: dict[str, tuple[int, PoolPod]] = {}
        self._under_way: set[str] = set()
        self._is_urgent = False
        self._looked_at = float("-inf")
        self._look_at = float("inf")

    def use_image(self, image: str) -> None:
        """From now on this is the image of daemons whose pool names none."""
        self._fleet.default_image = image

    # --- what was observed ---

    def observe_pool(self, pool: Pool, now: Instant) -> bool:
        """Take in a pool; False if this or a later version of it is known."""
        known = self._pools.get(pool.uid)
        if known is not None and pool.resource_version <= known.resource_version:
            return False
        self._pools[pool.uid] = pool
        self._mirror.observe_growth(pool.uid, growth_of(pool), now)
        self._is_urgent = True
        return True

    def pool_deleted(self, uid: str, now: Instant) -> None:
        """The pool's object is gone."""
        self._pools.pop(uid, None)
        self._mirror.observe_growth(uid, None, now)
        self._is_urgent = True

    def observe_pod(self, pod: PoolPod, resource_version: int) -> bool:
        """Take in a Pod that a pool made; False if this or a later version of it is known."""
        version, _ = self._pods.get(pod.uid, (-1, None))
        if resource_version <= version:
            return False
        self._pods[pod.uid] = (resource_version, pod)
        self._is_urgent = True
        return True

    def pod_deleted(self, uid: str) -> None:
        """The Pod's object is gone."""
        if self._pods.pop(uid, None) is not None:
            self._is_urgent = True

    def run_ended(self, job: Job) -> None:
        """A job ended: how long it took tells the pool of its daemon how many it needs."""
        if job.assignment is None or job.started is None or job.finished is None:
            return
        pod_uid = self._mirror.pod_of(job.assignment.daemon_uid)
        if pod_uid in self._pods:
            self._fleet.run_ended(self._pods[pod_uid][1].pool_uid, job.finished - job.started)

    # --- what came of a decision ---

    def created(self, pool_uid: str, name: str) -> None:
        """The Pod that was to be made is there."""
        self._fleet.created(pool_uid, name)

    def refused(self, pool_uid: str, name: str, trouble: Trouble, now: Instant) -> None:
        """The API server does not let that Pod be made."""
        self._fleet.refused(pool_uid, name, trouble, now)

    def unanswered(self, pool_uid: str, name: str) -> None:
        """It is not known whether that Pod was made."""
        self._fleet.unanswered(pool_uid, name)

    def settled(self, decision: PoolDecision) -> None:
        """The decision was carried out, or refused."""
        self._under_way.discard(subject(decision))
        self._is_urgent = True

    # --- what follows ---

    def decide(self, now: Instant) -> Iterator[PoolDecision]:
        """What is due; each decision is under way until it is `settled`."""
        if not self._pools:
            self._look_at = float("inf")
            return
        soon = self._looked_at + LOOK_SECONDS
        if not self._is_urgent and now.monotonic < min(soon, self._look_at):
            self._look_at = min(soon, self._look_at)
            return
        self._is_urgent = False
        self._looked_at = now.monotonic
        views = [PoolView(pool, self._members(pool.uid)) for pool in self._pools.values()]
        found = self._fleet.decide(views, self._waiting(now), now)
        self._look_at = float("inf") if found.look_again_in is None else now.monotonic + found.look_again_in
        for decision in found.decisions:
            if subject(decision) not in self._under_way:
                self._under_way.add(subject(decision))
                yield decision

    def next_wake(self) -> float | None:
        """When to call `decide` even if nothing is observed, on the monotonic clock; None if never."""
        return self._look_at if self._look_at < float("inf") else None

    # --- what is known ---

    def pools(self) -> Iterator[Pool]:
        """All pools, as last observed."""
        return iter(self._pools.values())

    # --- inside ---

    def _members(self, pool_uid: str) -> tuple[Member, ...]:
        return tuple(Member(pod, self._daemon(pod)) for _, pod in self._pods.values() if pod.pool_uid == pool_uid)

    def _daemon(self, pod: PoolPod) -> PoolDaemon | None:
        found = self._mirror.daemon_of_pod(pod.uid)
        if found is None:
            return None
        daemon, is_online, held = found
        return PoolDaemon(
            uid=daemon.uid,
            online=is_online,
            cordoned=daemon.cordoned,
            cordoned_by_pool=daemon.cordoned_by is not None,
            held=held,
            annotated=daemon.annotated,
        )

    def _waiting(self, now: Instant) -> list[Waiting]:
        return [
            Waiting(demand, count, max(now.wall - first.created - first.suspended_seconds, 0.0))
            for demand, (count, first) in self._mirror.queue_depths().items()
        ]
