"""Lines of logs: from an archive, from a daemon's output, and those that were added to an archive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.core.views.log_lines import (
    Line,
    appended,
    is_archive_of,
    missing_archive,
    parse_archived,
    parse_console,
)
from provisioner_operator.daemon.logs.log_buffer import JobLog
from provisioner_operator.kube.object_states import meta_of

ARCHIVE = """2027-01-15T08:00:00Z init: Initializing
2027-01-15T08:00:05Z apply: a: b
--- 12 bytes were left out here: the log exceeds its limit ---
2027-01-15T08:00:10Z apply: done
"""


def test_an_archive_is_read_line_by_line() -> None:
    first, second, *_ = parse_archived(ARCHIVE)
    assert first == Line("Initializing", "2027-01-15T08:00:00Z", "init")
    assert second == Line("a: b", "2027-01-15T08:00:05Z", "apply")


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


def test_output_that_is_nested_too_deeply_to_be_read_is_no_line_of_a_job() -> None:
    assert parse_console("[" * 100_000, "acme", "dev-7") is None


TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])), min_size=1)


@given(TEXTS, TEXTS)
def test_added_lines_are_exactly_those_after_the_known_ones(known: list[str], added: list[str]) -> None:
    before = "".join(f"2027-01-15T08:00:00Z apply: {line}\n" for line in known)
    after = before + "".join(f"2027-01-15T08:00:01Z apply: {line}\n" for line in added)
    assert [line.text for line in appended(before, after)] == added
    assert [line.text for line in parse_archived(after)] == [*known, *added]


def an_archive(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "dev-7-log", "labels": {"provisioner.dev/job": "dev-7"}} | metadata}


@pytest.mark.parametrize(
    ("config_map", "is_its_own"),
    [
        (an_archive(ownerReferences=[{"kind": "ProvisionerJob", "uid": "u"}]), True),
        (an_archive(ownerReferences=[{"kind": "ProvisionerJob", "uid": "uid-of-an-earlier-job"}]), False),
        (an_archive(), False),
        (an_archive(labels={}, ownerReferences=[{"kind": "ProvisionerJob", "uid": "u"}]), False),
    ],
)
def test_an_archive_belongs_to_one_job_and_not_to_another_of_its_name(
    config_map: dict[str, Any],
    is_its_own: bool,  # noqa: FBT001 - a column
) -> None:
    assert is_archive_of(meta_of(config_map), "dev-7", "u") is is_its_own


@pytest.mark.parametrize(
    ("phase", "started", "ended", "cause"),
    [
        ("Pending", False, False, Cause.NO_LOG),
        ("Canceled", False, True, Cause.NO_LOG),
        ("Failed", True, True, Cause.NOT_ARCHIVED),
        ("Running", True, False, Cause.NOT_ARCHIVED_YET),
    ],
)
def test_a_missing_archive_has_a_cause(phase: str, started: bool, ended: bool, cause: Cause) -> None:  # noqa: FBT001 - columns
    error = missing_archive("dev-7", phase, started=started, ended=ended)
    assert error.cause is cause
    assert "dev-7" in str(error)


def test_the_notice_of_a_daemon_that_lines_were_left_out_is_recognized() -> None:
    log = JobLog(cap=2000)
    for number in range(1000):
        log.append(f"2027-01-15T08:00:00Z apply: line {number}")
    assert [line.is_omission for line in parse_archived(log.text())].count(True) == 1
    said = "--- 7 bytes were left out here: the log exceeds its limit ---"
    assert not Line(said, "2027-01-15T08:00:00Z", "apply").is_omission, "a run printed it"


@pytest.mark.parametrize(
    ("text", "level"), [("Error: no", "error"), ("Warning: no", "warn"), ("Errors: 0", "info"), ("", "info")]
)
def test_a_diagnostic_has_its_severity(text: str, level: str) -> None:
    assert Line(text).level == level
