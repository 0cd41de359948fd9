"""A pytest plugin that records the lines of one package that each test runs, and the time that each takes.

Loaded by name into the one run without a mutation (`-p mutation.recorder`); the environment says of which folder and where to.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
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
        parts: defaultdict[str, _Part] = defaultdict(_Part)
        for test, seconds in self._seconds.items():
            parts[_file(test)].tests[test] = seconds
        data = self._coverage.get_data()
        for measured in data.measured_files():
            path = Path(measured).relative_to(self._folder).as_posix()
            for line, tests in data.contexts_by_lineno(measured).items():
                for test in filter(None, tests):  # without a test, it runs when its module is imported
                    parts[_file(test)].add(path, line, test)
        self._result.write_text(json.dumps({file: asdict(part) for file, part in parts.items()}), encoding="utf-8")


@dataclass
class _Part:
    """The record of one file of tests."""

    tests: dict[str, float] = field(default_factory=dict)
    """Seconds of each test."""
    lines: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    """By file and line of the package, the numbers of the tests in their order above."""

    def add(self, path: str, line: int, test: str) -> None:
        self.lines.setdefault(path, {}).setdefault(line, []).append(self._numbers[test])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {test: number for number, test in enumerate(self.tests)}


def _file(test: str) -> str:
    return test.partition("::")[0]


def pytest_configure(config: pytest.Config) -> None:
    """Register the recorder."""
    config.pluginmanager.register(Recorder(Path(os.environ[FOLDER]), Path(os.environ[RESULT])))
