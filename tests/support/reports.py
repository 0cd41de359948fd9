"""What the conftest files of tests with real programs share: the logs of those programs in a failed test's report."""

import pytest

from support.programs.programs import forget_ended, report_sections


def add_logs(report: pytest.TestReport) -> None:
    """Add the last lines of each program to the report of a test that failed; after it, forget those that ended."""
    if report.failed:
        report.sections.extend(report_sections())
    if report.when == "teardown":
        forget_ended()
