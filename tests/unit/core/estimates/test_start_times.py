"""Starts of waiting jobs, by the rules of the queue and from past runs."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.estimates.durations import Durations
from provisioner_operator.core.estimates.situation import (
    Arrival,
    CurrentRun,
    GrowingPool,
    Servers,
    Situation,
    WaitingJob,
)
from provisioner_operator.core.estimates.start_times import StartEstimate, estimate_starts
from provisioner_operator.core.model.matching import effective_tags
from support.builders.core import a_daemon, a_demand
from support.builders.queues import fair

HOUR = Durations.of([3600.0] * 50)
MINUTE = Durations.of([60.0] * 50)
STARTS = Durations.of([30.0] * 20)
LIMIT = ("limit", "")


def servers(pool: str | None = None, **tags: str) -> Servers:
    return Servers(a_daemon(tags=tags).supply, pool)


PLAIN = servers()


def job(uid: str = "job", *, tags: dict[str, str] | None = None, **fields: Any) -> WaitingJob:
    found: dict[str, Any] = {"demand": a_demand()._replace(tags=effective_tags(tags or {})), "durations": MINUTE}
    return WaitingJob(uid, **({"deadline": 7200.0} | found | fields))


def run(elapsed: float = 0.0, *, on: Servers | None = PLAIN, **fields: Any) -> CurrentRun:
    return CurrentRun(job("runs", **fields), on, elapsed)


def pool(**fields: Any) -> GrowingPool:
    defaults: dict[str, Any] = {
        "uid": "pool",
        "name": "pool",
        "servers": servers("pool"),
        "capacity": 1,
        "most": 5,
        "present": 0,
        "starting": (),
        "start": STARTS,
        "target_wait": 60.0,
    }
    return GrowingPool(**(defaults | fields))


def starts(situation: Situation) -> dict[str, tuple[float, float]]:
    """Return the estimates, rounded to tens of seconds."""
    found = estimate_starts(situation)
    return {uid: (round(each.p50, -1), round(each.p90, -1)) for uid, each in found.items()}


def test_nobody_waits_in_an_empty_queue() -> None:
    assert estimate_starts(Situation(free=(servers(),))) == {}


def test_a_free_slot_starts_the_first_at_once_whatever_is_known() -> None:
    situation = Situation(free=(servers(),), waiting=(job(durations=None),))
    assert estimate_starts(situation) == {"job": StartEstimate(0, 0, 0)}


def test_a_busy_slot_starts_it_when_the_run_ends() -> None:
    situation = Situation(runs=(run(elapsed=20),), waiting=(job("first"), job("second")))
    assert starts(situation) == {"first": (40, 40), "second": (100, 100)}
    assert estimate_starts(situation)["second"].runs == 50


def test_runs_end_at_their_deadlines() -> None:
    situation = Situation(runs=(run(elapsed=20, durations=HOUR, deadline=100.0),), waiting=(job(),))
    assert starts(situation) == {"job": (80, 80)}


def test_a_start_that_depends_on_a_run_of_which_nothing_is_known_is_unknown() -> None:
    assert starts(Situation(runs=(run(durations=None, deadline=float("inf")),), waiting=(job(),))) == {}


def test_only_daemons_with_the_tags_count_and_no_slot_that_nobody_gets_back() -> None:
    waiting = (job("plain"), job("gpu", tags={"gpu": "1"}))
    plain, gpu = servers(), servers(gpu="1")
    assert starts(Situation(runs=(run(on=plain), run(30, on=gpu)), waiting=waiting)) == {
        "plain": (60, 60),
        "gpu": (30, 30),
    }
    assert starts(Situation(runs=(run(on=None),), waiting=waiting)) == {}


def test_daemons_with_few_spare_tags_go_first() -> None:
    rich, exact = servers(a="1", gpu="1"), servers(a="1")
    waiting = (job("first", tags={"a": "1"}), job("gpu", tags={"a": "1", "gpu": "1"}))
    assert starts(Situation(free=(rich, exact), waiting=waiting)) == {"first": (0, 0), "gpu": (0, 0)}


def test_a_job_that_a_limit_holds_starts_when_a_run_under_it_ends() -> None:
    held = Situation(
        free=(servers(),),
        runs=(run(20, limits=(LIMIT,)),),
        waiting=(job("held", limits=(LIMIT,)), job("next"), job("last", limits=(LIMIT,))),
        rooms={LIMIT: 0},
    )
    assert starts(held) == {"held": (40, 40), "next": (0, 0), "last": (100, 100)}


def test_of_groups_the_one_with_fewer_slots_goes_first_and_then_the_one_that_used_less() -> None:
    situation = Situation(
        runs=(run(group="ann"),),
        waiting=(
            *(job(f"anns-{number}", group="ann") for number in range(3)),
            job("bobs", group="bob"),
            job("cleos", group="cleo"),
        ),
        fairness=fair(),
        past_use={"bob": 0.2, "cleo": 0.1, "ann": 0.5},
        is_overtaken=True,
        arrivals=tuple(Arrival(9e9, job(f"old-{number}")) for number in range(10)),
        window=1e10,
    )
    found = starts(situation)
    assert sorted(found, key=lambda uid: found[uid]) == ["cleos", "bobs", "anns-0", "anns-1", "anns-2"]


def test_jobs_come_as_they_came_and_may_go_first() -> None:
    others = tuple(Arrival(60.0 * number, job(f"bobs-{number}", group="bob")) for number in range(100))
    waiting = tuple(job(f"anns-{number}", group="ann") for number in range(3))
    alone = Situation(runs=(run(group="ann"), run(group="ann")), waiting=waiting, fairness=fair(), is_overtaken=True)
    assert starts(alone) == {}
    found = starts(replace(alone, arrivals=others, window=6000.0))
    assert found["anns-2"] > (120, 120)
    calm = replace(alone, is_overtaken=False)
    assert starts(calm)["anns-2"] == (120, 120)


def test_a_job_of_higher_priority_that_comes_goes_first() -> None:
    urgent = tuple(Arrival(30.0 * number, job(f"urgent-{number}", priority=1)) for number in range(20))
    situation = Situation(runs=(run(),), waiting=(job(),), arrivals=urgent, window=600.0, is_overtaken=True)
    assert starts(situation) == {}  # they come faster than they run: it may wait for ever


def test_a_pool_grows_at_once_where_no_run_would_end_in_time() -> None:
    waiting = tuple(job(f"job-{number}") for number in range(7))
    found = starts(Situation(waiting=waiting, pools=(pool(mean_run=60.0),)))
    assert [found[f"job-{number}"][0] for number in range(7)] == [30] * 5 + [90] * 2


def test_a_pool_grows_later_when_jobs_have_waited_for_its_target() -> None:
    waiting = tuple(job(f"job-{number}", durations=HOUR) for number in range(3))
    situation = Situation(waiting=waiting, pools=(pool(mean_run=25.0, target_wait=60.0, most=9),))
    found = starts(situation)
    assert found["job-0"][0] == 30
    assert 30 < found["job-2"][0] <= 100


def test_daemons_that_are_starting_have_come_some_way() -> None:
    fixed = pool(is_fixed=True, target_wait=0.0, most=2, present=1, starting=(20.0,), capacity=2)
    waiting = tuple(job(f"job-{number}", durations=HOUR) for number in range(4))
    found = starts(Situation(waiting=waiting, pools=(fixed,)))
    assert [found[f"job-{number}"] for number in range(4)] == [(10, 10)] * 2 + [(30, 30)] * 2


def test_without_a_measured_start_of_its_daemons_a_pool_that_may_grow_makes_the_start_unknown() -> None:
    unmeasured = pool(start=None, servers=servers("pool", a="1"))
    waiting = (job("tagged", tags={"a": "1"}), job("other", tags={"b": "1"}), job("now", tags={"c": "1"}))
    runs = (run(on=servers(b="1")), run(on=servers(a="1")))
    situation = Situation(runs=runs, waiting=waiting, pools=(unmeasured,), free=(servers(c="1"),))
    assert starts(situation) == {"other": (60, 60), "now": (0, 0)}
    assert "tagged" in starts(replace(situation, pools=(pool(start=None, most=1, present=1),)))
    starting = pool(start=None, most=1, present=1, starting=(5.0,), servers=servers("pool", a="1"))
    assert "tagged" not in starts(replace(situation, pools=(starting,)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 59), min_size=1, max_size=4), st.integers(1, 12))
def test_each_slot_takes_the_next_job_when_its_run_ends(elapsed: list[int], count: int) -> None:
    """With runs that all take a minute, waits are those of a plain queue; at most one of 51 runs takes longer."""
    situation = Situation(
        runs=tuple(run(each) for each in elapsed), waiting=tuple(job(f"job-{number}") for number in range(count))
    )
    found = estimate_starts(situation)
    free = sorted(60.0 - each for each in elapsed)
    for number in range(count):
        assert abs(found[f"job-{number}"].p50 - free[0]) < 2
        free = sorted([free[0] + 60.0, *free[1:]])


def test_equal_situations_have_equal_estimates() -> None:
    situation = Situation(runs=(run(5, durations=Durations.of(range(1, 99))),), waiting=(job("a"), job("b")))
    assert estimate_starts(situation) == estimate_starts(situation)
