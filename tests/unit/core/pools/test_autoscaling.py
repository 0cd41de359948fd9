"""The number of daemons that a queue needs, and the time that they stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.pools.autoscaling import (
    Load,
    RecentNeed,
    RunTimes,
    daemons_needed,
    further_starts,
    need_changes_in,
    slots_needed,
)
from provisioner_operator.core.pools.records import Autoscaling
from support.builders.core import at
from support.builders.pools import scaling

TARGET = 60.0


@pytest.mark.parametrize(
    ("waiting", "oldest", "busy", "mean", "slots"),
    [
        (0, 0, 0, None, 0),  # nothing to do
        (0, 0, 3, 10, 3),  # whoever is busy stays
        (1, 0, 0, None, 1),  # the first job wakes one
        (1, 0, 0, 5, 1),
        (5, 0, 0, None, 5),  # nobody knows how long runs take: one slot for each
        (5, 0, 2, None, 7),
        (100, 0, 0, 3600, 100),  # runs longer than the target: nobody can wait for another's end
        (100, 0, 0, 30, 34),  # within 60 s a free slot starts three
        (100, 0, 0, 1, 2),  # or sixty-one
        (60, 0, 1, 1, 1),  # one that is busy starts sixty
        (61, 0, 1, 1, 2),
        (100, 30, 0, 30, 50),  # half of the time is over
        (100, 59, 0, 30, 100),
        (100, 500, 4, 30, 104),  # too late: all at once
    ],
)
def test_the_queue_and_the_run_times_tell_how_many_slots_are_needed(
    waiting: int, oldest: float, busy: int, mean: float | None, slots: int
) -> None:
    assert slots_needed(Load(waiting, oldest), busy, mean, TARGET) == slots


@given(
    waiting=st.integers(0, 500),
    oldest=st.floats(0, 200),
    busy=st.integers(0, 50),
    mean=st.none() | st.floats(0.1, 5000),
)
def test_the_slots_needed_start_everything_in_time_and_one_fewer_does_not(
    waiting: int, oldest: float, busy: int, mean: float | None
) -> None:
    further = further_starts(mean, TARGET - oldest)
    slots = slots_needed(Load(waiting, oldest), busy, mean, TARGET)

    def started(all_slots: int) -> int:
        return (all_slots - busy) * (1 + further) + busy * further

    assert slots >= busy
    assert started(slots) >= waiting
    assert slots == busy or started(slots - 1) < waiting


@given(waiting=st.integers(0, 100), oldest=st.floats(0, 100), longer=st.floats(0, 100), mean=st.floats(0.1, 500))
def test_the_longer_they_wait_the_more_are_needed(waiting: int, oldest: float, longer: float, mean: float) -> None:
    now, later = (slots_needed(Load(waiting, wait), 0, mean, TARGET) for wait in (oldest, oldest + longer))

    assert later >= now


@pytest.mark.parametrize(
    ("slots", "capacity", "bounds", "daemons"),
    [
        (0, 1, scaling(5), 0),
        (1, 4, scaling(5), 1),
        (5, 4, scaling(5), 2),
        (9, 1, scaling(5), 5),
        (0, 1, scaling(5, min_replicas=2), 2),
    ],
)
def test_daemons_have_their_capacity_and_the_pool_its_bounds(
    slots: int, capacity: int, bounds: Autoscaling, daemons: int
) -> None:
    assert daemons_needed(slots, capacity, bounds) == daemons


def test_the_mean_run_follows_what_runs_take_of_late() -> None:
    def mean_of(*runs: float) -> float | None:
        times = RunTimes()
        for seconds in runs:
            times.observe(seconds)
        return times.mean

    assert mean_of() is None
    assert mean_of(100) == 100
    assert mean_of(100, 0) == pytest.approx(80.2)
    assert mean_of(100, *(50 * [7])) == pytest.approx(7, abs=0.01)


def test_waiting_alone_raises_the_need_and_it_is_known_when() -> None:
    load = Load(100, 10)
    assert need_changes_in(load, 30, TARGET) == pytest.approx(20)

    before, after = (slots_needed(Load(100, 10 + wait), 0, 30, TARGET) for wait in (19.9, 20.1))
    assert before < after


@pytest.mark.parametrize(
    ("load", "mean"), [(Load(0, 10), 30.0), (Load(5, 10), None), (Load(5, 10), 3600.0), (Load(5, 61), 1.0)]
)
def test_a_need_that_cannot_rise_by_waiting_needs_no_look(load: Load, mean: float | None) -> None:
    assert need_changes_in(load, mean, TARGET) is None


def test_more_are_wanted_at_once_and_fewer_only_after_the_delay() -> None:
    need = RecentNeed(0)
    assert need.settle(3, 300, at(0)) == 3
    assert need.settle(1, 300, at(100)) == 3  # three were needed until now
    assert need.falls_in(300, at(100)) == 300
    assert need.settle(1, 300, at(399)) == 3
    assert need.settle(1, 300, at(400)) == 1
    assert need.falls_in(300, at(400)) is None


def test_each_level_has_a_delay_of_its_own() -> None:
    need = RecentNeed(0)
    need.settle(5, 300, at(0))
    need.settle(3, 300, at(100))
    need.settle(0, 300, at(200))

    assert need.settle(0, 300, at(399)) == 5
    assert need.settle(0, 300, at(400)) == 3
    assert need.settle(0, 300, at(499)) == 3
    assert need.settle(0, 300, at(500)) == 0


def test_what_is_needed_again_starts_its_delay_anew() -> None:
    need = RecentNeed(0)
    need.settle(3, 300, at(0))
    need.settle(0, 300, at(100))
    need.settle(3, 300, at(350))

    assert need.settle(0, 300, at(500)) == 3
    assert need.settle(0, 300, at(799)) == 3
    assert need.settle(0, 300, at(800)) == 0


def test_a_controller_that_starts_anew_lets_what_is_there_stay_for_the_delay() -> None:
    need = RecentNeed(4)
    assert need.settle(0, 300, at(0)) == 4
    assert need.settle(0, 300, at(300)) == 0


def test_without_a_delay_the_need_is_followed_at_once() -> None:
    need = RecentNeed(4)
    assert need.settle(1, 0, at(0)) == 1


@given(
    looks=st.lists(st.tuples(st.floats(0.01, 50), st.integers(0, 5)), max_size=30),
    delay=st.integers(0, 120).map(float),
)
def test_what_is_wanted_is_the_most_that_was_needed_within_the_delay(
    looks: list[tuple[float, int]], delay: float
) -> None:
    need, time, current = RecentNeed(0), 0.0, 0
    spans: list[tuple[float, int]] = []
    """Each need of before, with the time of its end."""
    for pause, needed in looks:
        time += pause
        spans.append((at(time).monotonic, current))
        current = needed
        within = [former for end, former in spans if end + delay > at(time).monotonic]
        assert need.settle(needed, delay, at(time)) == max([needed, *within])


def test_the_number_may_first_fall_when_the_oldest_of_the_former_needs_is_over() -> None:
    need = RecentNeed(0)
    need.settle(5, 300, at(0))
    need.settle(3, 300, at(100))
    need.settle(0, 300, at(200))

    assert need.falls_in(300, at(200)) == 200
    assert need.settle(0, 300, at(400)) == 3
    assert need.falls_in(300, at(400)) == 100
