"""The pool of a replayed namespace: the product's own plan, whose decisions are carried out at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.decisions import (
    CordonDaemon,
    CreatePod,
    DeletePod,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import Member, PoolDaemon, PoolPod
from provisioner_operator.core.pools.pod_builder import revision
from support.builders.core import NAMESPACE

if TYPE_CHECKING:
    from bench.estimates.world import World
    from provisioner_operator.core.pools.decisions import PoolDecision
    from provisioner_operator.core.pools.records import Pool

_IMAGE = "image"


class ReplayedPool:
    """One pool, its Pods and their daemons."""

    def __init__(self, world: World, pool: Pool) -> None:
        self.pool = pool
        self._world = world
        self._fleet = Fleet(_IMAGE)
        self._pods: dict[str, PoolPod] = {}
        """By the uid of their daemon."""
        self._look_at: float | None = None

    def review(self) -> None:
        """Carry out what the plan decides now, and look again when it says so."""
        now, created = self._world.now, 0
        while True:
            made = self._fleet.decide([PoolView(self.pool, self._members())], self._waiting(), Instant(now, now))
            for decision in made.decisions:
                self._carry_out(decision)
            created = sum(not isinstance(decision, UpdatePoolStatus) for decision in made.decisions)
            if not created:
                break
        if made.requeue_after is not None and (self._look_at is None or now + made.requeue_after < self._look_at):
            self._look_at = now + made.requeue_after
            self._world.at(self._look_at, self._looked)

    def run_ended(self, daemon_uid: str, seconds: float) -> None:
        """Note how long a run took."""
        if daemon_uid in self._pods:
            self._fleet.run_ended(self.pool.uid, seconds)

    def _looked(self) -> None:
        self._look_at = None

    def _waiting(self) -> list[Waiting]:
        found = self._world.queue.depths().items()
        return [Waiting(demand, number, self._world.now - first.created) for demand, (number, first) in found]

    def _members(self) -> tuple[Member, ...]:
        return tuple(self._member(uid, pod) for uid, pod in self._pods.items())

    def _member(self, uid: str, pod: PoolPod) -> Member:
        daemon = self._world.daemons[uid]
        held, is_online = len(self._world.runs_on(uid)), daemon.heartbeat is not None
        cordoned = daemon.cordoned
        return Member(pod, PoolDaemon(uid, is_online, cordoned, cordoned, held, reported=is_online))

    def _carry_out(self, decision: PoolDecision) -> None:
        match decision:
            case CreatePod():
                self._create(decision.name)
            case CordonDaemon(_, _, daemon):
                self._cordon(daemon.uid, cordoned=True)
            case UncordonDaemon(_, _, daemon):
                self._cordon(daemon.uid, cordoned=False)
            case DeletePod(_, pod):
                uid = next(uid for uid, each in self._pods.items() if each.uid == pod.uid)
                self._world.queue.remove(self._world.daemons.pop(uid))
                del self._pods[uid]
            case UpdatePoolStatus(_, status):
                self.pool = replace(self.pool, status=status)

    def _create(self, name: str) -> None:
        world = self._world
        pod_uid = f"pod-{name}"
        daemon = world.add_daemon(
            name, dict(self.pool.tags), heartbeat=None, pod_uid=pod_uid, capacity=self.pool.capacity
        )
        made_from = revision(self.pool, _IMAGE)
        self._pods[daemon.uid] = PoolPod(NAMESPACE, name, pod_uid, self.pool.uid, made_from, world.now)
        self._fleet.created(self.pool.uid, name)
        world.at(world.now + world.scenario.start_seconds(world.chance), lambda: self._ready(daemon.uid))

    def _ready(self, uid: str) -> None:
        if uid in self._pods:
            self._pods[uid] = replace(self._pods[uid], ready_since=self._world.now)
            self._world.daemons[uid] = replace(self._world.daemons[uid], heartbeat="first")
            self._world.offer(uid)

    def _cordon(self, uid: str, *, cordoned: bool) -> None:
        self._world.daemons[uid] = replace(self._world.daemons[uid], cordoned=cordoned)
        self._world.offer(uid)
