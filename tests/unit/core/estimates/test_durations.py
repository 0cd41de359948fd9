"""Durations of past runs as the distribution of the next."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.estimates.durations import Durations

SECONDS = st.lists(st.floats(1, 10_000), min_size=1, max_size=50)
CHANCE = st.floats(0, 0.999_999)


def test_a_quantile_is_the_duration_that_this_share_did_not_exceed() -> None:
    durations = Durations.of(range(10, 0, -1))
    assert (durations.quantile(0.5), durations.quantile(0.9), durations.quantile(1)) == (5, 9, 10)
    assert Durations.of([7]).quantile(0.01) == 7


@given(SECONDS, CHANCE, CHANCE)
def test_a_higher_place_is_a_longer_run(seconds: list[float], one: float, other: float) -> None:
    durations = Durations.of(seconds)
    low, high = sorted((one, other))
    assert 0 < durations.draw(low) <= durations.draw(high) * (1 + 1e-9)


@given(SECONDS, CHANCE, st.floats(0, 20_000))
def test_the_rest_of_a_run_is_what_its_duration_exceeds(seconds: list[float], chance: float, elapsed: float) -> None:
    assert Durations.of(seconds).draw_rest(chance, elapsed) >= 0


def test_a_run_that_has_just_begun_has_all_of_it_before_it() -> None:
    durations = Durations.of([10, 20, 30])
    assert durations.draw_rest(0.5, 0.0) == durations.draw(0.5) == 20


def test_a_run_takes_any_place_among_the_past_ones_with_the_same_chance() -> None:
    durations = Durations.of(range(1, 100))
    chance = Random(1)
    drawn = [durations.draw(chance.random()) for _ in range(4000)]
    for share in (0.1, 0.5, 0.9):
        within = sum(each <= durations.quantile(share) for each in drawn) / len(drawn)
        assert abs(within - share) < 0.03


def test_longer_than_all_it_goes_on_for_a_share_of_what_it_took() -> None:
    durations = Durations.of([10, 20])
    assert durations.draw_rest(0.0, 100) == 0
    assert durations.draw_rest(0.75, 100) == 100
    assert durations.draw(0.999) > 20


def test_equal_durations_are_no_trouble() -> None:
    durations = Durations.of([5, 5, 5])
    assert durations.draw(0.5) == 5
    assert durations.draw_rest(0.5, 5) >= 0
    assert durations.draw_rest(0.5, 4) == 1


def test_another_past_has_the_same_durations_in_other_numbers() -> None:
    durations = Durations.of(range(1, 30))
    other = durations.resampled(Random(1))
    assert len(other) == len(durations)
    assert set(other.seconds) < set(durations.seconds)


def test_a_run_is_overlong_only_if_that_happens_to_no_more_than_one_of_a_hundred() -> None:
    assert not Durations.of(range(1, 99)).is_overlong(1000)
    assert Durations.of(range(1, 100)).is_overlong(100)
    assert not Durations.of(range(1, 100)).is_overlong(99)
    assert Durations.of(range(1, 200)).is_overlong(199)
    assert not Durations.of(range(1, 200)).is_overlong(198)
