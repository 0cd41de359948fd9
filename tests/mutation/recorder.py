"""A pytest plugin that records the lines of one package that each test runs, and the time that each takes.

Loaded by name into the one run without a mutation (`-p mutation.recorder`); the environment says of which folder and where to.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

FOLDER = "MUTATION_RECORD_FOLDER"
RESULT = "MUTATION_RECORD_RESULT"


class Recorder:
    """Gives each test a coverage context of its own."""

    def __init__(self, folder: Path, result: Path) -> None:
        self._folder = folder
        self._result = result
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=[f"{folder}/*"])
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_sessionstart(self) -> None:
        """Record from before the tests are imported."""
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count what runs in here, fixtures included, as run by this test."""
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the time of a test's setup, call or teardown."""
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write the record."""
        self._coverage.stop()
        data = self._coverage.get_data()
        tests = sorted(self._seconds)
        numbers = {test: number for number, test in enumerate(tests)}
        lines = {
            Path(file).relative_to(self._folder).as_posix(): {
                line: [numbers[test] for test in contexts if test]
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        record = {"tests": tests, "seconds": [self._seconds[test] for test in tests], "lines": lines}
        self._result.write_text(json.dumps(record), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Register the recorder."""
    config.pluginmanager.register(Recorder(Path(os.environ[FOLDER]), Path(os.environ[RESULT])))
