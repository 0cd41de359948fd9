"""Pools that nothing concerns are left out of a round, and that changes nothing: a reconciler that plans all of them decides the same."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
)
from provisioner_operator.core.pools.members import PodEnd, PoolPod, Trouble
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.pools.records import Pool
from support.builders.core import NAMESPACE, NOON, a_job, a_running_job, an_ended_job, at, next_heartbeat
from support.builders.observed_pools import IMAGE, ObservedPools
from support.builders.pools import a_pod, a_pool, scaling

if TYPE_CHECKING:
    from provisioner_operator.core.model.records import Daemon

POOLS = (
    a_pool("fixed", replicas=2, finalizers=()),
    a_pool("linux", tags={"os": "linux"}, autoscaling=scaling(3, scale_down_delay=30)),
    a_pool("any", autoscaling=scaling(2, min_replicas=1, scale_down_delay=5)),
    a_pool("gpu", tags={"gpu": "a100"}, replicas=0),
)


class World(ObservedPools):
    """A cluster whose events a test names; `plans_all` if its reconciler leaves out no pool."""

    def __init__(self, *, plans_all: bool) -> None:
        super().__init__(*POOLS)
        self.plans_all = plans_all
        self.time = 0.0
        self.version = 10
        self.open: list[PoolDecision] = []
        self.daemons: dict[str, Daemon] = {}
        self.pods: dict[str, PoolPod] = {}
        self.running: dict[str, Any] = {}

    def look(self) -> list[PoolDecision]:
        if self.plans_all:
            self.pools.use_image(IMAGE)
        found = self.decided(self.time)
        self.open += found
        return found

    def next_version(self) -> int:
        self.version += 1
        return self.version

    # --- events ---

    def wait(self, number: int) -> None:
        self.time += (0.3, 1.5, 6, 31, 61, 400)[number % 6]

    def change_pool(self, number: int) -> None:
        pool = self.pools.pool(POOLS[number % len(POOLS)].uid)
        if pool is not None:
            self.see_pool(replace(pool, replicas=number % 4, generation=pool.generation + 1))

    def park_pool(self, number: int) -> None:
        self.pools.park(POOLS[number % len(POOLS)].uid)

    def delete_pool(self, number: int) -> None:
        pool = self.pools.pool(POOLS[number % len(POOLS)].uid)
        if pool is not None:
            self.see_pool(replace(pool, deleting=True))

    def begin_term(self, _: int) -> None:
        self.pools.leadership_gained()

    def submit(self, number: int) -> None:
        tags = ({}, {"os": "linux"}, {"gpu": "a100"})[number % 3]
        self.jobs.observe_job(a_job(f"job-{number}", tags=tags, created=self.time), at(self.time))

    def run(self, number: int) -> None:
        if self.daemons:
            name = sorted(self.daemons)[number % len(self.daemons)]
            job = a_running_job(f"job-{number}", daemon=name, resource_version=self.next_version(), started=self.time)
            self.jobs.observe_job(job, at(self.time))
            self.running[job.name] = name

    def end(self, number: int) -> None:
        if self.running:
            job = sorted(self.running)[number % len(self.running)]
            name, version = self.running.pop(job), self.next_version()
            ended = an_ended_job(job, daemon=name, resource_version=version, started=0, finished=self.time)
            self.pools.run_ended(ended)
            self.jobs.observe_job(ended, at(self.time))

    def beat(self, number: int) -> None:
        self.change_daemon(number, cordoned=number % 5 == 0)

    def lose_daemon(self, number: int) -> None:
        if self.daemons:
            daemon = self.daemons.pop(sorted(self.daemons)[number % len(self.daemons)])
            self.jobs.daemon_deleted(daemon.uid, at(self.time))

    def crash(self, number: int) -> None:
        end = PodEnd(
            failed=number % 2 == 0, finished=NOON + self.time, ran=float(number), trouble=Trouble("Error", "died")
        )
        self.change_pod(number, ready_since=None, end=end)

    def get_ready(self, number: int) -> None:
        self.change_pod(number, ready_since=NOON + self.time)

    def delete_pod(self, number: int) -> None:
        if self.pods:
            pod = self.pods.pop(sorted(self.pods)[number % len(self.pods)])
            self.pools.pod_deleted(pod.uid, self.next_version())
            self.jobs.pod_deleted(pod.uid, NAMESPACE, None, at(self.time))

    def refuse(self, number: int) -> None:
        if self.open:
            decision = self.open.pop(number % len(self.open))
            self.pools.refused(decision, Refusal("Forbidden", "no", transient=number % 2 == 0), at(self.time))
            self.pools.settled(decision, at(self.time))

    def leave_unanswered(self, number: int) -> None:
        if self.open:
            self.pools.settled(self.open.pop(number % len(self.open)), at(self.time))

    def carry_out(self, number: int) -> None:
        if self.open:
            decision = self.open.pop(number % len(self.open))
            self._apply(decision)
            self.pools.accepted(decision)
            self.settle(decision, now=self.time)

    # --- what they consist of ---

    def see_pool(self, pool: Pool) -> None:
        self.pools.observe_pool(replace(pool, resource_version=self.next_version()), at(self.time))

    def change_daemon(self, number: int, **changes: Any) -> None:
        if self.daemons:
            name = sorted(self.daemons)[number % len(self.daemons)]
            self.daemons[name] = next_heartbeat(self.daemons[name], **changes)
            self.jobs.observe_daemon(self.daemons[name], at(self.time))

    def change_pod(self, number: int, **changes: Any) -> None:
        if self.pods:
            name = sorted(self.pods)[number % len(self.pods)]
            self.pods[name] = replace(self.pods[name], **changes)
            self.pools.observe_pod(self.pods[name], self.next_version())

    def _apply(self, decision: PoolDecision) -> None:
        pool = self.pools.pool(decision.pool.uid)
        match decision:
            case CreatePod(_, name) if pool is not None:
                self.daemons[name] = self.run_pod(pool, name, now=self.time, resource_version=self.next_version())
                uid, wanted = f"pod-of-{name}", revision(pool, IMAGE)
                self.pods[name] = a_pod(name, uid=uid, pool_uid=pool.uid, revision=wanted, ready_since=self.time)
                self.pools.created(pool.uid, name)
            case CordonDaemon(pool_, pod) if pod.name in self.daemons:
                self._cordon(pod.name, cordoned=True, cordoned_by=pool_.name)
            case UncordonDaemon(_, pod) if pod.name in self.daemons:
                self._cordon(pod.name, cordoned=False, cordoned_by=None)
            case DeletePod(_, pod):
                self.pods.pop(pod.name, None)
                self.pools.pod_deleted(pod.uid, self.next_version())
            case AddFinalizer(_) if pool is not None:
                self.see_pool(replace(pool, finalizers=POOLS[1].finalizers))
            case RemoveFinalizer(removed):
                self.pools.pool_deleted(removed.uid, at(self.time))

    def _cordon(self, name: str, **changes: Any) -> None:
        daemon = self.daemons[name]
        self.daemons[name] = replace(daemon, resource_version=daemon.resource_version + 1, **changes)
        self.jobs.observe_daemon(self.daemons[name], at(self.time))


EVENTS = (
    World.wait,
    World.change_pool,
    World.park_pool,
    World.delete_pool,
    World.begin_term,
    World.submit,
    World.run,
    World.end,
    World.beat,
    World.lose_daemon,
    World.crash,
    World.get_ready,
    World.delete_pod,
    World.refuse,
    World.leave_unanswered,
    World.carry_out,
    World.carry_out,
    World.carry_out,
)
HISTORIES = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 30), st.booleans()), max_size=60)


@given(HISTORIES)
def test_pools_that_nothing_concerns_need_no_plan(history: Sequence[tuple[Any, int, bool]]) -> None:
    some, every = World(plans_all=False), World(plans_all=True)
    for event, number, looks in history:
        for world in (some, every):
            event(world, number)
        if looks:
            assert some.look() == every.look()
            assert some.pools.next_wake() == pytest.approx(every.pools.next_wake())
