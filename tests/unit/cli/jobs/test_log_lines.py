"""Lines of logs: selected by what a user asked for, and printed."""

from typing import Any

from provisioner_operator.cli.jobs.log_lines import LogOptions, formatted, select
from provisioner_operator.core.views.log_lines import Line, parse_archived

ARCHIVE = """2027-01-15T08:00:00Z init: Initializing
2027-01-15T08:00:05Z apply: a: b
--- 12 bytes were left out here: the log exceeds its limit ---
2027-01-15T08:00:10Z apply: done
"""
NOON = 1_800_000_000.0


def shown(**options: Any) -> list[str]:
    return [line.text for line in select(parse_archived(ARCHIVE), LogOptions(**options), NOON + 10)]


def test_lines_are_selected_by_stage_age_and_number_and_notices_of_omissions_stay() -> None:
    notice = "--- 12 bytes were left out here: the log exceeds its limit ---"
    assert shown() == ["Initializing", "a: b", notice, "done"]
    assert shown(stage="init") == ["Initializing", notice]
    assert shown(since=6) == ["a: b", notice, "done"]
    assert shown(tail=1) == ["done"]
    assert shown(tail=0) == []


def test_a_line_is_printed_with_its_stage_and_its_time_if_wanted() -> None:
    line = Line("a\x1b[31mb", "2027-01-15T08:00:00Z", "apply")
    assert formatted(line, timestamps=False) == "apply: a\N{REPLACEMENT CHARACTER}[31mb"
    assert formatted(line, timestamps=True).startswith("2027-01-15T08:00:00Z apply: ")
    assert formatted(Line("--- cut ---"), timestamps=True) == "--- cut ---"
