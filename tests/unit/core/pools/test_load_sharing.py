"""The pools that grow for each job."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags, satisfies
from provisioner_operator.core.pools.autoscaling import Load
from provisioner_operator.core.pools.load_sharing import Contender, Waiting, queued_for, share
from support.builders.core import NAMESPACE

CHICAGO = {"datacenter": "chicago"}
FAST = CHICAGO | {"disk": "fast"}


def a_contender(name: str, *, tags: dict[str, str] | None = None, slots: int = 10, **fields: Any) -> Contender:
    supply = Supply(NAMESPACE, frozenset({Provisioner.TERRAFORM}), effective_tags(tags or {}))
    return Contender(f"uid-of-{name}", name, supply, slots=slots, **fields)


def demanding(tags: dict[str, str]) -> Demand:
    return Demand(NAMESPACE, Provisioner.TERRAFORM, effective_tags(tags))


def shares(waiting: list[Waiting], *contenders: Contender) -> dict[str, int]:
    loads = share(waiting, contenders)
    return {contender.name: loads[contender.uid].waiting for contender in contenders}


def test_jobs_fall_to_the_pool_that_can_run_them() -> None:
    waiting = [Waiting(demanding(CHICAGO), 3, 7.0), Waiting(demanding({}), 2, 9.0)]
    loads = share(waiting, [a_contender("plain"), a_contender("chicago", tags=CHICAGO)])
    assert loads == {"uid-of-plain": Load(2, 9.0), "uid-of-chicago": Load(3, 7.0)}


def test_of_two_pools_the_one_with_the_fewest_tags_to_spare_grows() -> None:
    waiting = [Waiting(demanding(CHICAGO), 3, 0)]
    assert shares(waiting, a_contender("fast", tags=FAST), a_contender("chicago", tags=CHICAGO)) == {
        "fast": 0,
        "chicago": 3,
    }


def test_what_one_pool_has_no_room_for_falls_to_the_next() -> None:
    waiting = [Waiting(demanding(CHICAGO), 12, 0)]
    contenders = a_contender("fast", tags=FAST, slots=4), a_contender("chicago", tags=CHICAGO, slots=10, busy=1)
    assert shares(waiting, *contenders) == {"fast": 3, "chicago": 9}


def test_what_nobody_has_room_for_counts_once() -> None:
    waiting = [Waiting(demanding(CHICAGO), 20, 0)]
    contenders = a_contender("fast", tags=FAST, slots=4), a_contender("chicago", tags=CHICAGO, slots=10)
    assert shares(waiting, *contenders) == {"fast": 4, "chicago": 16}


def test_short_runs_are_room_too() -> None:
    waiting = [Waiting(demanding(CHICAGO), 20, 0)]
    quick = a_contender("chicago", tags=CHICAGO, slots=10, mean_run=30, target_wait=60)
    assert shares(waiting, a_contender("fast", tags=FAST), quick) == {"fast": 0, "chicago": 20}


def test_a_pool_that_does_not_grow_takes_what_its_free_slots_take() -> None:
    waiting = [Waiting(demanding(CHICAGO), 5, 0)]
    fixed = a_contender("chicago", tags=CHICAGO, slots=2, busy=1, mean_run=1)
    assert shares(waiting, a_contender("fast", tags=FAST), fixed) == {"fast": 4, "chicago": 1}


def test_who_has_fewer_pools_to_go_to_goes_first() -> None:
    waiting = [Waiting(demanding(CHICAGO), 10, 0), Waiting(demanding(CHICAGO | {"net": "lab"}), 10, 0)]
    contenders = a_contender("lab", tags=CHICAGO | {"net": "lab"}), a_contender("rest", tags=FAST | {"x": "y"})
    assert shares(waiting, *contenders) == {"lab": 10, "rest": 10}


def test_jobs_that_no_pool_can_run_fall_to_nobody() -> None:
    assert shares([Waiting(demanding({"disk": "slow"}), 5, 0)], a_contender("fast", tags=FAST)) == {"fast": 0}


def test_all_that_a_pool_could_run_is_queued_for_it_whoever_grows() -> None:
    waiting = [Waiting(demanding(CHICAGO), 3, 0), Waiting(demanding({}), 2, 0), Waiting(demanding(FAST), 1, 0)]
    assert queued_for(a_contender("fast", tags=FAST).supply, waiting) == 4


tags = st.sampled_from([{}, CHICAGO, FAST, {"disk": "fast"}])
queues = st.lists(st.builds(Waiting, tags.map(demanding), st.integers(1, 30), st.floats(0, 90)), max_size=6)


@st.composite
def contenders(draw: st.DrawFn) -> list[Contender]:
    return [
        a_contender(
            f"pool-{number}",
            tags=draw(tags),
            slots=draw(st.integers(0, 20)),
            busy=draw(st.integers(0, 5)),
            mean_run=draw(st.none() | st.floats(1, 100)),
            target_wait=draw(st.sampled_from([0.0, 60.0])),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@given(waiting=queues, pools=contenders())
def test_every_job_counts_exactly_once_if_anybody_can_run_it(waiting: list[Waiting], pools: list[Contender]) -> None:
    servable = sum(each.count for each in waiting if any(satisfies(pool.supply, each.demand) for pool in pools))
    assert sum(load.waiting for load in share(waiting, pools).values()) == servable


@pytest.mark.parametrize("order", [1, -1])
@given(waiting=queues, pools=contenders())
def test_nothing_depends_on_the_order_in_which_pools_are_listed(
    order: int, waiting: list[Waiting], pools: list[Contender]
) -> None:
    assert share(waiting, pools[::order]) == share(waiting, pools)
