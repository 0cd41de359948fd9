"""Lines of logs: from an archive, from a daemon's output, and those that were added to an archive."""

import json
from typing import Any

from provisioner_operator.cli.jobs.log_lines import (
    Line,
    LogOptions,
    appended,
    formatted,
    parse_archived,
    parse_console,
    select,
)

ARCHIVE = """2027-01-15T08:00:00Z init: Initializing
2027-01-15T08:00:05Z apply: a: b
--- 12 bytes were left out here: the log exceeds its limit ---
2027-01-15T08:00:10Z apply: done
"""
NOON = 1_800_000_000.0


def shown(**options: Any) -> list[str]:
    return [line.text for line in select(parse_archived(ARCHIVE), LogOptions(**options), NOON + 10)]


def test_an_archive_is_read_line_by_line() -> None:
    first, second, *_ = parse_archived(ARCHIVE)
    assert first == Line("Initializing", "2027-01-15T08:00:00Z", "init")
    assert second == Line("a: b", "2027-01-15T08:00:05Z", "apply")


def test_lines_are_selected_by_stage_age_and_number_and_notices_of_omissions_stay() -> None:
    notice = "--- 12 bytes were left out here: the log exceeds its limit ---"
    assert shown() == ["Initializing", "a: b", notice, "done"]
    assert shown(stage="init") == ["Initializing", notice]
    assert shown(since=6) == ["a: b", notice, "done"]
    assert shown(tail=1) == ["done"]
    assert shown(tail=0) == []


def test_a_daemons_output_names_the_job_of_each_line() -> None:
    record = {
        "level": "INFO",
        "logger": "job",
        "message": "creating",
        "namespace": "acme",
        "job": "dev-7",
        "stage": "apply",
        "timestamp": "2027-01-15T09:00:00.123456+01:00",
    }
    assert parse_console(json.dumps(record), "acme", "dev-7") == Line("creating", "2027-01-15T08:00:00Z", "apply")
    for other in ({"namespace": "b"}, {"job": "dev-8"}, {"logger": "provisioner_operator.daemon"}):
        assert parse_console(json.dumps(record | other), "acme", "dev-7") is None
    assert parse_console("Traceback", "acme", "dev-7") is None
    assert parse_console("7", "acme", "dev-7") is None


def test_a_line_without_a_valid_time_is_kept() -> None:
    record = {"logger": "job", "namespace": "acme", "job": "dev-7", "message": "x", "timestamp": "soon"}
    assert parse_console(json.dumps(record), "acme", "dev-7") == Line("x")


def test_added_lines_are_found_also_after_the_middle_was_left_out() -> None:
    assert [line.text for line in appended("a\n", "a\nb\n")] == ["b"]
    assert [line.text for line in appended("a\nb\nc\n", "a\n--- cut ---\nc\nd\n")] == ["d"]
    assert [line.text for line in appended("a\nb\n", "a\n--- cut ---\nz\n")] == ["a", "--- cut ---", "z"]


def test_a_line_is_printed_with_its_stage_and_its_time_if_wanted() -> None:
    line = Line("a\x1b[31mb", "2027-01-15T08:00:00Z", "apply")
    assert formatted(line, timestamps=False) == "apply: a\N{REPLACEMENT CHARACTER}[31mb"
    assert formatted(line, timestamps=True).startswith("2027-01-15T08:00:00Z apply: ")
    assert formatted(Line("--- cut ---"), timestamps=True) == "--- cut ---"
