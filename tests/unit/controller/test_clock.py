"""The controller's clocks are the system's."""

import time

import pytest

from provisioner_operator.controller import clock


def test_a_reading_has_both_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: 2.0)
    instant = clock.read()
    assert (instant.wall, instant.monotonic) == (1.0, 2.0)


def test_leadership_is_judged_by_a_clock_that_counts_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = {time.CLOCK_MONOTONIC: 1.0, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC): 2.0}
    monkeypatch.setattr(time, "clock_gettime", readings.__getitem__)
    assert clock.since_boot() == 2.0
