"""Fixtures of the controller's tests: clocks that show the event loop's virtual time."""

import pytest

from provisioner_operator.controller import clock
from support.builders.core import at
from support.virtual_time import now

BOOTED = 1000.0
"""Value of the clock since the boot when a test begins."""


@pytest.fixture
def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the controller's clocks run with the event loop of the test: its time 0 is noon."""
    monkeypatch.setattr(clock, "read", lambda: at(now()))
    monkeypatch.setattr(clock, "since_boot", lambda: BOOTED + now())
