"""What is written to cancel and repeat jobs, what can still be waited for, and which lines of a log are shown."""

import json
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import PreconditionError
from provisioner_operator.cli.jobs.cancel import Asked, NothingToDoError, cancel_patch
from provisioner_operator.cli.jobs.logs import Line, Wanted, gained, parse_archived, parse_console, select
from provisioner_operator.cli.jobs.retry import names_after, repeated
from provisioner_operator.cli.jobs.wait import goal_phases, is_reachable


def a_body(phase: str | None = "Pending", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": {"name": "dev-7", "uid": "u", "labels": {"team": "a"}, "annotations": {"note": "old"}},
        "spec": spec,
        "status": {"phase": phase} if phase else {},
    }


def paths_of(asked: Asked, **body: Any) -> list[tuple[object, object, object]]:
    return [(step["op"], step["path"], step["value"]) for step in cancel_patch(a_body(**body), asked).operations()]


def test_a_cancel_is_of_the_job_that_was_read_and_no_later_one() -> None:
    assert paths_of(Asked(reason="wrong region")) == [
        ("test", "/metadata/uid", "u"),
        ("add", "/spec/cancel", True),
        ("add", "/spec/cancelReason", "wrong region"),
    ]


def test_if_pending_is_tested_by_the_api_server() -> None:
    assert ("test", "/status/phase", "Pending") in paths_of(Asked(if_pending=True))
    with pytest.raises(PreconditionError, match="not pending any more: it is Running"):
        cancel_patch(a_body("Running"), Asked(if_pending=True))


def test_force_hastens_a_cancel_that_is_under_way() -> None:
    steps = paths_of(Asked(force=True, reason="late"), phase="Canceling", cancel=True, cancelMode="Graceful")
    assert steps == [("test", "/metadata/uid", "u"), ("add", "/spec/cancelMode", "Force")]


@pytest.mark.parametrize("body", [a_body("Canceled", cancel=True), a_body("Running", cancel=True)])
def test_a_cancel_that_was_asked_for_is_not_written_again(body: dict[str, Any]) -> None:
    with pytest.raises(NothingToDoError):
        cancel_patch(body, Asked())


@pytest.mark.parametrize("phase", ["Completed", "Failed"])
def test_what_has_ended_otherwise_cannot_be_canceled(phase: str) -> None:
    with pytest.raises(PreconditionError, match=f"has ended: it is {phase}"):
        cancel_patch(a_body(phase), Asked())


def test_a_repeated_job_has_the_spec_without_what_was_done_to_the_old_one() -> None:
    body = a_body(
        "Failed",
        cancel=True,
        cancelReason="x",
        canceledBy="ann",
        initiator="ann",
        suspend=True,
        priority=3,
        workspaceRef={"name": "dev", "uid": "w", "buildNumber": 7, "change": "c", "owner": "ann"},
    )
    manifest = repeated(body, "dev-7-retry-1")
    assert manifest["spec"] == {"priority": 3, "workspaceRef": {"name": "dev", "owner": "ann"}}
    assert manifest["metadata"] == {
        "name": "dev-7-retry-1",
        "labels": {"team": "a"},
        "annotations": {"provisioner.dev/retry-of": "dev-7"},
    }


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("dev-7", ["dev-7-retry-1", "dev-7-retry-2"]),
        ("dev-7-retry-9", ["dev-7-retry-10", "dev-7-retry-11"]),
        ("a" * 63, ["a" * 55 + "-retry-1", "a" * 55 + "-retry-2"]),
    ],
)
def test_repeated_jobs_are_numbered(name: str, following: list[str]) -> None:
    names = names_after(name)
    assert [next(names), next(names)] == following
    assert len(following[0]) <= 63


@pytest.mark.parametrize(
    ("phase", "goal", "reachable"),
    [
        (Phase.PENDING, "completed", True),
        (Phase.CANCELING, "completed", True),
        (Phase.FAILED, "completed", False),
        (Phase.FAILED, "ended", True),
        (Phase.COMPLETED, "canceled", False),
        (Phase.CANCELED, "started", True),
        (Phase.CANCELING, "running", False),
    ],
)
def test_waiting_ends_when_it_is_in_vain(phase: Phase, goal: str, *, reachable: bool) -> None:
    assert is_reachable(phase, goal_phases(goal)) is reachable


ARCHIVE = """2027-01-15T08:00:00Z init: Initializing
2027-01-15T08:00:05Z apply: a: b
--- 12 bytes were left out here: the log exceeds its limit ---
2027-01-15T08:00:10Z apply: done
"""
NOON = 1_800_000_000.0


def shown(**wanted: Any) -> list[str]:
    return [line.text for line in select(parse_archived(ARCHIVE), Wanted(**wanted), NOON + 10)]


def test_an_archive_is_read_line_by_line() -> None:
    first, second, *_ = parse_archived(ARCHIVE)
    assert first == Line("Initializing", "2027-01-15T08:00:00Z", "init")
    assert second == Line("a: b", "2027-01-15T08:00:05Z", "apply")


def test_lines_are_chosen_by_stage_age_and_number_and_what_says_that_some_are_missing_stays() -> None:
    notice = "--- 12 bytes were left out here: the log exceeds its limit ---"
    assert shown() == ["Initializing", "a: b", notice, "done"]
    assert shown(stage="init") == ["Initializing", notice]
    assert shown(since=6) == ["a: b", notice, "done"]
    assert shown(tail=1) == ["done"]
    assert shown(tail=0) == []


def test_a_daemons_output_tells_which_line_is_of_which_job() -> None:
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


def test_what_an_archive_gained_is_found_also_after_its_middle_was_left_out() -> None:
    assert [line.text for line in gained("a\n", "a\nb\n")] == ["b"]
    assert [line.text for line in gained("a\nb\nc\n", "a\n--- cut ---\nc\nd\n")] == ["d"]
    assert [line.text for line in gained("a\nb\n", "a\n--- cut ---\nz\n")] == ["a", "--- cut ---", "z"]
