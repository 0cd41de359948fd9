"""A pytest plugin that ends the process when one test takes much more CPU time than it did in the record.

Loaded by name into the runs with a mutant (`-p mutation.limiter`): a loop without end is found within seconds, however long
the other tests of the run take.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = "MUTATION_LIMITS"
"""Names the file with the CPU seconds that each test may take."""


class Limiter:
    """Arms a timer for each test, whose signal ends the process."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Limit the test, fixtures included."""
        signal.setitimer(signal.ITIMER_PROF, self._seconds.get(item.nodeid, 0))
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def pytest_configure(config: pytest.Config) -> None:
    """Register the limiter."""
    config.pluginmanager.register(Limiter(json.loads(Path(os.environ[SECONDS]).read_text(encoding="utf-8"))))
