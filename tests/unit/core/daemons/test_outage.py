"""Outages of the API server, from the last answer to the next."""

from provisioner_operator.core.daemons.outage import Outage


def test_an_outage_lasts_from_the_last_answer_to_the_next() -> None:
    outage = Outage()
    assert outage.answered(1) is None
    assert [outage.failed(), outage.failed(), outage.is_on] == [True, False, True]
    assert [outage.answered(5), outage.answered(6), outage.is_on] == [1, None, False]


def test_a_watch_event_before_an_outage_puts_off_its_begin_and_one_during_it_ends_nothing() -> None:
    outage = Outage()
    outage.observed(2)
    outage.failed()
    outage.observed(3)
    assert outage.is_on
    assert outage.answered(4) == 2


def test_one_failed_request_among_many_that_are_answered_makes_hardly_an_outage() -> None:
    outage = Outage()
    outage.answered(99.9)
    outage.failed()
    assert outage.answered(100.1) == 99.9
