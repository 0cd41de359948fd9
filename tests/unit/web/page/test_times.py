"""Times and durations in words."""

import pytest

from provisioner_operator.web.page.times import ago, duration, elapsed, moment, moment_of
from support.builders.core import NOON


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (125, "2m 5s"),
        (605, "10m"),
        (3600, "1h"),
        (11_520, "3h 12m"),
        (90_000, "1d 1h"),
        (800_000, "9d"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "just now"),
        (12, "12s ago"),
        (300, "5m ago"),
        (7200, "2h ago"),
        (90_000, "1d ago"),
        (700_000, "1w ago"),
        (-90, "in 1m 30s"),
    ],
)
def test_an_age_has_one_unit(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_a_moment_is_relative_and_exact() -> None:
    found = moment(NOON, NOON + 60)
    assert found is not None
    assert (found.exact, found.text) == ("2027-01-15T08:00:00Z", "1m ago")


def test_without_the_present_time_a_moment_never_changes() -> None:
    found = moment(NOON, None)
    assert found is not None
    assert found.text == "Jan 15 08:00"


def test_no_time_is_no_moment() -> None:
    assert moment(None, NOON) is None
    assert moment_of("", NOON) is None
    assert moment_of("2027-01-15T08:00:00Z", NOON) == moment(NOON, NOON)


def test_a_duration_is_readable_for_programs() -> None:
    assert elapsed(65, None).iso == "PT65S"
    assert elapsed(65, None).text == "1m 5s"
