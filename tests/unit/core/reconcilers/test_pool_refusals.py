"""Writes of a pool that the API server refuses."""

from dataclasses import replace

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CreatePod,
    DeletePod,
    PoolDecision,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from support.builders.core import at
from support.builders.pools import a_pod, a_pool

NO = Refusal("Denied", "a policy says no")


class ObservedPool:
    """A pool's reconciler, told what came of its decisions."""

    def __init__(self, pool: Pool) -> None:
        self.pools = Reconcilers.create("image").pools
        self.pools.pods_found(pool.namespace)
        self.pool = pool
        self.pools.observe_pool(pool, at(0))

    def decided(self, now: float = 0) -> list[PoolDecision]:
        return list(self.pools.decide(at(now)))

    def see(self, *, generation: int = 0, **changes: object) -> None:
        changed = replace(self.pool, resource_version=self.pool.resource_version + 1, **changes)  # type: ignore[arg-type]
        self.pool = replace(changed, generation=self.pool.generation + generation)
        self.pools.observe_pool(self.pool, at(0))

    def refuse(self, decision: PoolDecision, now: float = 0) -> bool:
        is_news = self.pools.refused(decision, NO, at(now))
        self.pools.settled(decision, at(now))
        return is_news


def test_a_refused_write_is_made_again_after_its_pause_and_the_status_goes_on() -> None:
    pool = ObservedPool(a_pool(finalizers=(), replicas=0))
    (finalizer,) = pool.decided()
    assert isinstance(finalizer, AddFinalizer)
    assert pool.refuse(finalizer)
    (status,) = pool.decided()
    assert isinstance(status, UpdatePoolStatus)
    assert "a policy says no" in next(each.message for each in status.status.conditions if each.type == "Ready")
    pool.see(status=status.status)
    pool.pools.accepted(status)
    pool.pools.settled(status, at(0))
    assert pool.decided(0.9) == []
    assert pool.pools.next_wake() is not None
    assert pool.decided(1) == [AddFinalizer(pool.pool)]
    assert not pool.refuse(AddFinalizer(pool.pool), 1)


def test_a_change_of_the_pool_tries_what_was_refused_at_once() -> None:
    pool = ObservedPool(a_pool(finalizers=(), replicas=0))
    for now in (0, 1, 3, 7):
        decisions = pool.decided(now)
        for decision in decisions:
            if isinstance(decision, AddFinalizer):
                pool.refuse(decision, now)
            else:
                pool.pools.settled(decision, at(now))
    pool.see(generation=1)
    assert AddFinalizer(pool.pool) in pool.decided(7.1)


def test_what_was_refused_and_is_not_wanted_any_more_is_not_said_any_more() -> None:
    pool = ObservedPool(a_pool(finalizers=(), replicas=0))
    (finalizer,) = pool.decided()
    pool.refuse(finalizer)
    pool.see(finalizers=("provisioner.dev/drain",))
    for _ in range(3):
        for decision in pool.decided(1):
            if isinstance(decision, UpdatePoolStatus):
                pool.see(status=decision.status)
            pool.pools.settled(decision, at(1))
    reasons = {each.reason for each in pool.pool.status.conditions}
    assert reasons == {"ScaledToZero"}


def test_what_is_not_refused_any_more_is_taken_back_although_nothing_else_happens() -> None:
    pool = ObservedPool(a_pool(finalizers=(), replicas=0))
    (finalizer,) = pool.decided()
    pool.refuse(finalizer)
    (status,) = pool.decided()
    assert isinstance(status, UpdatePoolStatus)
    pool.see(status=status.status)
    pool.pools.settled(status, at(0))
    pool.see(finalizers=("provisioner.dev/drain",))
    assert pool.decided(1) == []
    assert pool.pools.next_wake() == at(1).monotonic
    (status,) = pool.decided(1)
    assert isinstance(status, UpdatePoolStatus)
    assert {each.reason for each in status.status.conditions} == {"ScaledToZero"}


def test_refused_pods_are_news_once_for_each_reason() -> None:
    pool = ObservedPool(a_pool(replicas=1))
    first = next(each for each in pool.decided() if isinstance(each, CreatePod))
    assert pool.refuse(first)
    again = next(each for each in pool.decided(10) if isinstance(each, CreatePod))
    assert not pool.refuse(again, 10)
    pool.pools.created(pool.pool.uid, "another")
    assert pool.pools.refused(again, NO, at(11))


def test_a_refusal_for_a_pool_that_is_gone_is_forgotten() -> None:
    pool = ObservedPool(a_pool(finalizers=()))
    (finalizer, *_) = pool.decided()
    pool.pools.pool_deleted(pool.pool.uid, at(0))
    assert not pool.refuse(finalizer)
    assert pool.decided() == []


def test_what_is_wanted_no_more_while_the_status_that_says_so_is_written_is_taken_back_afterwards() -> None:
    pool = ObservedPool(a_pool(finalizers=(), replicas=0))
    (finalizer,) = pool.decided()
    pool.refuse(finalizer)
    (status,) = pool.decided()
    assert isinstance(status, UpdatePoolStatus)
    assert any(NO.message in each.message for each in status.status.conditions)
    pool.see(finalizers=("provisioner.dev/drain",))
    assert pool.decided() == []

    pool.see(status=status.status)
    pool.pools.settled(status, at(0))
    written = [each for _ in range(2) for each in pool.decided(6)]

    (anew,) = [each for each in written if isinstance(each, UpdatePoolStatus)]
    assert not any(NO.message in each.message for each in anew.status.conditions)


def test_a_change_of_a_pod_tries_what_was_refused_of_it_at_once() -> None:
    pool = ObservedPool(a_pool(replicas=0))
    pod = a_pod(pool_uid=pool.pool.uid)
    pool.pools.observe_pod(pod, 1)
    delete = next(each for each in pool.decided() if isinstance(each, DeletePod))
    assert pool.refuse(delete)
    assert not any(isinstance(each, DeletePod) for each in pool.decided(0.5))

    pool.pools.observe_pod(pod, 2)

    assert delete in pool.decided(0.6)
