"""All pools together: from the queue to what is done about it."""

from typing import Any

import pytest

from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.pools.decisions import CordonDaemon, CreatePod, DeletePod, UpdatePoolStatus
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView, Round
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import Member, Trouble
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.pools.records import Pool, PoolStatus
from support.builders.core import a_demand, at
from support.builders.pools import a_pool, over, scaling, starting, working

IMAGE = "image"
PLAIN = a_demand()


def created(round_: Round) -> int:
    return sum(isinstance(decision, CreatePod) for decision in round_.decisions)


def status_in(round_: Round) -> PoolStatus | None:
    """The status that is to be written."""
    return next((each.status for each in round_.decisions if isinstance(each, UpdatePoolStatus)), None)


def members_of(pool: Pool, *names: str, **fields: Any) -> tuple[Member, ...]:
    return tuple(working(name, revision=revision(pool, IMAGE), pool_uid=pool.uid, **fields) for name in names)


def waiting(count: int, oldest: float = 0, demand: Demand = PLAIN) -> list[Waiting]:
    return [Waiting(demand, count, oldest)]


def test_one_waiting_job_wakes_a_pool_from_zero_at_once() -> None:
    fleet, view = Fleet(IMAGE), PoolView(a_pool(autoscaling=scaling()))
    assert created(fleet.decide([view], [], at(0))) == 0
    assert created(fleet.decide([view], waiting(1), at(1))) == 1


def test_a_pod_that_was_asked_for_is_not_asked_for_again() -> None:
    fleet, view = Fleet(IMAGE), PoolView(a_pool())
    (first,) = [each for each in fleet.decide([view], [], at(0)).decisions if isinstance(each, CreatePod)]
    assert created(fleet.decide([view], [], at(1))) == 0

    fleet.unanswered("uid-of-pool", first.name)
    (second,) = [each for each in fleet.decide([view], [], at(2)).decisions if isinstance(each, CreatePod)]
    assert second.name == first.name

    fleet.created("uid-of-pool", second.name)
    pod = starting(second.name, revision=revision(a_pool(), IMAGE))
    assert created(fleet.decide([PoolView(a_pool(), (pod,))], [], at(3))) == 0


def test_a_refused_pod_is_reported_and_tried_again_after_a_pause() -> None:
    fleet, view = Fleet(IMAGE), PoolView(a_pool())
    (made,) = [each for each in fleet.decide([view], [], at(0)).decisions if isinstance(each, CreatePod)]
    fleet.refused("uid-of-pool", made.name, Trouble("Forbidden", "exceeded quota: pods"), at(1))

    round_ = fleet.decide([view], [], at(1))
    status = status_in(round_)
    assert status is not None
    assert {each.type: (each.status, each.reason) for each in status.conditions} == {
        "Ready": ("False", "Forbidden"),
        "Reconciling": ("False", "Forbidden"),
        "Stalled": ("True", "PodsFailing"),
    }
    assert created(round_) == 0
    assert round_.requeue_after == pytest.approx(10)
    assert created(fleet.decide([view], [], at(11))) == 1


def test_a_pool_of_fixed_size_does_not_mind_the_queue() -> None:
    fleet, view = Fleet(IMAGE), PoolView(a_pool(replicas=2))
    round_ = fleet.decide([view], waiting(50), at(0))
    status = status_in(round_)

    assert created(round_) == 2
    assert status is not None
    assert status.queued == 50


def test_of_two_pools_for_the_same_jobs_only_one_grows() -> None:
    plain, special = (a_pool(name, tags=tags, autoscaling=scaling()) for name, tags in TWO.items())
    fleet = Fleet(IMAGE)
    demand = a_demand(datacenter="chicago")
    round_ = fleet.decide([PoolView(special), PoolView(plain)], waiting(4, demand=demand), at(0))

    assert [each.pool.name for each in round_.decisions if isinstance(each, CreatePod)] == ["plain"] * 4


def test_a_pool_whose_pods_fail_leaves_its_jobs_to_the_other() -> None:
    plain, special = (a_pool(name, tags=tags, autoscaling=scaling()) for name, tags in TWO.items())
    fleet = Fleet(IMAGE)
    failed = over("a", pool_uid=plain.uid, revision=revision(plain, IMAGE))
    round_ = fleet.decide(
        [PoolView(plain, (failed,)), PoolView(special)], waiting(4, demand=a_demand(datacenter="chicago")), at(6)
    )

    assert {each.pool.name for each in round_.decisions if isinstance(each, CreatePod)} == {"special"}


TWO = {"plain": {"datacenter": "chicago"}, "special": {"datacenter": "chicago", "disk": "fast"}}


def test_run_times_make_do_with_fewer_daemons_and_are_remembered_in_the_status() -> None:
    pool = a_pool(autoscaling=scaling(50))
    fleet = Fleet(IMAGE)
    fleet.decide([PoolView(pool)], [], at(0))
    for _ in range(30):
        fleet.run_ended(pool.uid, 10)
    round_ = fleet.decide([PoolView(pool)], waiting(14), at(1))
    assert created(round_) == 2  # seven each within a minute
    status = status_in(round_)
    assert status is not None

    restarted = Fleet(IMAGE)
    assert (
        created(restarted.decide([PoolView(a_pool(autoscaling=scaling(50), status=status))], waiting(14), at(2))) == 2
    )


def test_an_idle_pool_reaches_zero_after_its_delay_by_way_of_a_cordon() -> None:
    pool = a_pool(autoscaling=scaling(scale_down_delay=300))
    fleet, idle = Fleet(IMAGE), PoolView(pool, members_of(pool, "a"))
    round_ = fleet.decide([idle], [], at(0))
    assert not [each for each in round_.decisions if not isinstance(each, UpdatePoolStatus)]
    assert round_.requeue_after == pytest.approx(300)

    (cordon,) = [each for each in fleet.decide([idle], [], at(300)).decisions if not isinstance(each, UpdatePoolStatus)]
    assert isinstance(cordon, CordonDaemon)
    cordoned = PoolView(pool, members_of(pool, "a", cordoned_by="pool"))
    assert [
        type(each) for each in fleet.decide([cordoned], [], at(301)).decisions if not isinstance(each, UpdatePoolStatus)
    ] == [DeletePod]


def test_counts_are_written_every_few_seconds_and_sizes_at_once() -> None:
    pool = a_pool()
    fleet = Fleet(IMAGE)
    first = status_in(fleet.decide([PoolView(pool, members_of(pool, "a"))], [], at(0)))
    assert first is not None
    written = a_pool(status=first)

    round_ = fleet.decide([PoolView(written, members_of(pool, "a", held=1))], [], at(1))
    assert status_in(round_) is None
    assert round_.requeue_after == pytest.approx(4)
    status = status_in(fleet.decide([PoolView(written, members_of(pool, "a", held=1))], [], at(5)))
    assert status is not None
    assert (status.idle, status.busy) == (0, 1)

    grown = a_pool(status=status, replicas=2)
    assert status_in(fleet.decide([PoolView(grown, members_of(pool, "a", held=1))], [], at(5.1))) is not None


def test_nothing_is_decided_when_nothing_changed() -> None:
    pool = a_pool(autoscaling=scaling())
    fleet, members = Fleet(IMAGE), members_of(pool, "a", held=1)
    status = status_in(fleet.decide([PoolView(pool, members)], [], at(0)))
    assert status is not None
    settled = a_pool(autoscaling=scaling(), status=status)

    assert fleet.decide([PoolView(settled, members)], [], at(100)) == Round(())


def test_another_default_image_rolls_all_pools_out() -> None:
    pool = a_pool()
    view = PoolView(pool, members_of(pool, "a"))

    assert created(Fleet(IMAGE).decide([view], [], at(0))) == 0
    assert created(Fleet("newer").decide([view], [], at(0))) == 1


def test_news_of_a_pool_that_is_gone_is_no_error() -> None:
    fleet = Fleet(IMAGE)
    fleet.run_ended("gone", 5)
    fleet.created("gone", "pod")
    fleet.refused("gone", "pod", Trouble("Forbidden", ""), at(0))
    fleet.unanswered("gone", "pod")

    assert fleet.decide([], waiting(3), at(1)) == Round(())


def test_answers_about_a_pool_that_is_gone_are_forgotten() -> None:
    fleet = Fleet(IMAGE)
    fleet.decide([PoolView(a_pool())], [], at(0))
    fleet.deleted("uid-of-pool")

    fleet.created("uid-of-pool", "pool-x")
    fleet.refused("uid-of-pool", "pool-x", Trouble("FailedCreate", "no quota"), at(1))
    fleet.unanswered("uid-of-pool", "pool-x")
    fleet.try_again("uid-of-pool")
    fleet.run_ended("uid-of-pool", 60)

    anew = fleet.decide([PoolView(a_pool())], [], at(2))
    assert created(anew) == 1
    assert (status := status_in(anew)) is not None
    assert status.mean_run_seconds is None
