from provisioner_operator.core.concurrency_limit import (
    GROWTH_SECONDS,
    LONGEST_BUSY_PAUSE_SECONDS,
    USUAL_PAUSE_SECONDS,
    ConcurrencyLimit,
)


def test_all_may_be_under_way_until_there_is_too_much_to_do() -> None:
    pace = ConcurrencyLimit(32)
    pace.answered(0)
    assert (pace.allowed, pace.pause(0)) == (32, 0)


def test_a_refusal_halves_and_nothing_begins_until_the_time_it_names() -> None:
    pace = ConcurrencyLimit(32)
    assert pace.refused(sent=9, now=10, retry_after=3)
    assert (pace.allowed, pace.pause(10), pace.pause(12.5), pace.pause(13)) == (16, 3, 0.5, 0)


def test_a_refusal_that_names_no_time_or_an_absurd_one() -> None:
    pace = ConcurrencyLimit(32)
    pace.refused(sent=0, now=0, retry_after=None)
    assert pace.pause(0) == USUAL_PAUSE_SECONDS
    pace.refused(sent=0, now=0, retry_after=86_400)
    assert pace.pause(0) == LONGEST_BUSY_PAUSE_SECONDS


def test_refusals_of_one_rush_halve_once() -> None:
    pace = ConcurrencyLimit(32)
    pace.refused(sent=0, now=1, retry_after=1)
    assert not pace.refused(sent=0.5, now=1.25, retry_after=1)
    assert (pace.allowed, pace.pause(1.25)) == (16, 1)
    pace.refused(sent=2.25, now=2.5, retry_after=1)
    assert pace.allowed == 8


def test_one_always_may() -> None:
    pace = ConcurrencyLimit(2)
    for second in range(5):
        pace.refused(sent=second, now=second, retry_after=0)
    assert pace.allowed == 1


def test_while_it_keeps_up_one_more_may_each_second_up_to_the_limit() -> None:
    pace = ConcurrencyLimit(4)
    pace.refused(sent=0, now=0, retry_after=2)
    allowed = []
    for tenth in range(60):
        pace.answered(now=2 + tenth * GROWTH_SECONDS / 10)
        allowed.append(pace.allowed)
    assert (allowed[9], allowed[10], allowed[20], allowed[-1]) == (2, 3, 4, 4)
