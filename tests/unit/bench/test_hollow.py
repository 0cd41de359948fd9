"""Hollow daemons spread their reports as a fleet of real ones does."""

import pytest

from bench.hollow import reports


@pytest.mark.parametrize(("factor", "in_each_turn"), [(1, 600), (6, 100)])
def test_as_many_daemons_report_in_each_turn(factor: int, in_each_turn: int) -> None:
    for turn in range(2 * factor):
        assert sum(reports(turn, number, factor) for number in range(600)) == in_each_turn


def test_each_daemon_at_rest_reports_once_in_six_turns() -> None:
    for number in range(12):
        assert sum(reports(turn, number, 6) for turn in range(6)) == 1
