"""Logs of real programs in the report of a failed test; called by several conftest files."""

import pytest

from support.programs.programs import forget_ended, report_sections


def add_logs(report: pytest.TestReport) -> None:
    """Add the last lines of each program to the report of a failed test, and afterwards remove the logs of ended programs."""
    if report.failed:
        report.sections.extend(report_sections())
    if report.when == "teardown":
        forget_ended()
