"""Events describe ends, obstacles and refusals; a repetition becomes a series; none holds up anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, Phase
from provisioner_operator.controller.telemetry import events
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.decisions import (
    HoldWorkspace,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.records import TemplateStatus, WorkspaceStatus
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import BusyError, ConflictError, UnreachableError
from provisioner_operator.kube.event_objects import Notice
from provisioner_operator.kube.object_meta import ObjectMeta
from support.builders.controller import ControllerParts
from support.builders.core import NOON, a_job, an_ended_job
from support.builders.workspaces import a_template, a_workspace
from support.scripted_client import Hang
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")

COLLECTION = paths.events("acme")


@asynccontextmanager
async def writing(parts: ControllerParts) -> AsyncIterator[None]:
    task = asyncio.create_task(parts.recorder.run())
    yield
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def a_notice(reason: str = "RunFailed", note: str = "exit code 1") -> Notice:
    return Notice("ProvisionerJob", "acme", "job", "uid-of-job", reason, note, "End")


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase.COMPLETED, None),
        (Phase.FAILED, ("End", True)),
        (Phase.CANCELED, None),
    ],
)
def test_only_a_failure_is_described(phase: Phase, expected: tuple[str, bool] | None) -> None:
    notice = events.ended(an_ended_job(phase=phase, reason="Because", message="words"))
    assert (None if notice is None else (notice.action, notice.warning)) == expected
    assert notice is None or (notice.reason, notice.note, notice.uid) == ("Because", "words", "uid-of-job")


def test_a_stuck_job_is_a_warning() -> None:
    notice = events.stuck(a_job(reason="NoMatchingDaemon", message="nobody has gpu=yes"))
    assert (notice.reason, notice.note, notice.action, notice.warning) == (
        "NoMatchingDaemon",
        "nobody has gpu=yes",
        "Assign",
        True,
    )


def a_status(
    reason: str, message: str = "why", *, is_stalled: ConditionStatus = ConditionStatus.TRUE
) -> WorkspaceStatus:
    ready = Condition("Ready", ConditionStatus.FALSE, reason, message, NOON)
    return WorkspaceStatus(conditions=(ready, Condition("Stalled", is_stalled, reason, message, NOON)))


@pytest.mark.parametrize(
    ("former", "latest", "is_reported"),
    [
        (WorkspaceStatus(), a_status("BuildFailed"), True),
        (a_status("BuildFailed"), a_status("DestroyFailed"), True),
        (a_status("BuildFailed", "one"), a_status("BuildFailed", "another"), True),
        (a_status("BuildFailed"), a_status("BuildFailed"), False),
        (WorkspaceStatus(), a_status("BuildRunning", is_stalled=ConditionStatus.FALSE), False),
        (WorkspaceStatus(), a_status("BuildRefused"), False),
    ],
)
def test_a_workspace_that_stalls_is_a_warning_once_for_each_cause(
    former: WorkspaceStatus,
    latest: WorkspaceStatus,
    is_reported: bool,  # noqa: FBT001 - a column
) -> None:
    notice = events.stalled(UpdateWorkspaceStatus(a_workspace(status=former), latest))

    assert (notice is not None) is is_reported
    if notice is not None:
        assert (notice.kind, notice.name, notice.note, notice.warning) == (
            "Workspace",
            "dev",
            latest.conditions[0].message,
            True,
        )


def found(status: ConditionStatus, reason: str) -> WorkspaceStatus:
    return WorkspaceStatus(conditions=(Condition("Drifted", status, reason, f"words of {reason}", NOON),))


CLEAN, DRIFTED = found(ConditionStatus.FALSE, "NoDrift"), found(ConditionStatus.TRUE, "DriftDetected")
UNCHECKED = found(ConditionStatus.UNKNOWN, "NotChecked")


@pytest.mark.parametrize(
    ("former", "latest", "expected"),
    [
        (WorkspaceStatus(), DRIFTED, ("DriftDetected", True)),
        (CLEAN, DRIFTED, ("DriftDetected", True)),
        (DRIFTED, DRIFTED, None),
        (DRIFTED, CLEAN, ("NoDrift", False)),
        (UNCHECKED, CLEAN, ("NoDrift", False)),
        (CLEAN, CLEAN, None),
        (DRIFTED, UNCHECKED, None),
        (DRIFTED, WorkspaceStatus(), None),
    ],
)
def test_drift_is_reported_when_it_comes_and_when_it_is_over(
    former: WorkspaceStatus, latest: WorkspaceStatus, expected: tuple[str, bool] | None
) -> None:
    notice = events.drifted(UpdateWorkspaceStatus(a_workspace(status=former), latest))

    assert (None if notice is None else (notice.reason, notice.warning)) == expected
    assert notice is None or (notice.kind, notice.name, notice.note) == (
        "Workspace",
        "dev",
        f"words of {notice.reason}",
    )


def test_no_other_write_reports_drift() -> None:
    assert events.drifted(HoldWorkspace(a_workspace())) is None


def test_a_template_that_stalls_is_a_warning() -> None:
    stalled = Condition("Stalled", ConditionStatus.TRUE, "ImportFailed", "No provider.", NOON)

    notice = events.stalled(UpdateTemplateStatus(a_template(), TemplateStatus(conditions=(stalled,))))

    assert notice is not None
    assert (notice.kind, notice.reason, notice.note) == ("WorkspaceTemplate", "ImportFailed", "No provider.")


def test_no_other_write_stalls() -> None:
    assert events.stalled(HoldWorkspace(a_workspace())) is None


def test_a_written_status_that_stalls_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = ControllerParts()
    recorded: list[Notice] = []
    monkeypatch.setattr(parts.recorder, "record", recorded.append)

    parts.observer.accepted(UpdateWorkspaceStatus(a_workspace(), a_status("BuildFailed")))
    parts.observer.accepted(UpdateWorkspaceStatus(a_workspace(), DRIFTED))
    parts.observer.accepted(HoldWorkspace(a_workspace()))

    assert [notice.reason for notice in recorded] == ["BuildFailed", "DriftDetected"]


@pytest.mark.parametrize(
    ("kind", "version", "words"),
    [
        ("Pod", "v1", "has the label of a daemon but cannot be one: capacity"),
        (
            "ProvisionerPool",
            "provisioner.dev/v1alpha1",
            "does not fit this version's schema of ProvisionerPool: capacity",
        ),
    ],
)
def test_an_ignored_object_is_named_with_what_to_do(kind: str, version: str, words: str) -> None:
    notice = events.unparseable(kind, ObjectMeta("acme", "one", "u", "7"), ValueError("capacity"))
    assert (notice.kind, notice.api_version, notice.name, notice.uid) == (kind, version, "one", "u")
    assert notice.note == f"Ignored: this object {words}. Correct or delete it."


@virtual_time
async def test_an_event_is_written_about_its_object() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, {})
    parts.recorder.record(a_notice())
    async with writing(parts):
        await parts.recorder.drained()
    (request,) = parts.client.requests
    assert request.body["regarding"] == {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "namespace": "acme",
        "name": "job",
        "uid": "uid-of-job",
    }
    assert (request.body["type"], request.body["reason"], request.body["note"]) == (
        "Warning",
        "RunFailed",
        "exit code 1",
    )
    assert parts.metric("provisioner_api_writes_total", kind="event", result="ok") == 1


@pytest.mark.parametrize(("known", "count"), [({}, 2), ({"series": {"count": 2}}, 3)], ids=["first", "later"])
@virtual_time
async def test_a_repetition_becomes_a_series_of_the_same_event(known: dict[str, object], count: int) -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, {}, ConflictError(409, "exists"))
    parts.recorder.record(a_notice(note="first"))
    async with writing(parts):
        await parts.recorder.drained()
        name = parts.client.requests[0].body["metadata"]["name"]
        path = paths.event("acme", name)
        parts.client.answers("GET", path, known)
        parts.client.answers("PATCH", path, {})
        parts.recorder.record(a_notice(note="second"))
        await parts.recorder.drained()
    (patch,) = parts.client.sent("PATCH")
    assert patch.body["series"]["count"] == count
    assert parts.client.sent("POST")[1].body["metadata"]["name"] == name


@virtual_time
async def test_another_reason_is_another_event() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, {})
    for reason in ("RunFailed", "DaemonLost"):
        parts.recorder.record(a_notice(reason))
    async with writing(parts):
        await parts.recorder.drained()
    first, second = (request.body["metadata"]["name"] for request in parts.client.requests)
    assert first != second


@pytest.mark.parametrize(
    ("note", "written"),
    [("a" * 1024, "a" * 1024), ("a" * 1025, "a" * 1023 + "…"), ("", "RunFailed")],
    ids=["just fits", "too long", "empty"],
)
@virtual_time
async def test_a_note_fits_what_the_api_server_takes(note: str, written: str) -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, {})
    parts.recorder.record(a_notice(note=note))
    async with writing(parts):
        await parts.recorder.drained()
    assert parts.client.requests[0].body["note"] == written


@virtual_time
async def test_a_busy_api_server_is_asked_again_after_the_pause_that_it_names() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, BusyError("busy", 7), {})
    parts.recorder.record(a_notice())
    async with writing(parts):
        await parts.recorder.drained()
    assert [request.at for request in parts.client.requests] == [0, 7]


@virtual_time
async def test_an_event_that_fails_is_dropped_and_the_next_is_written(caplog: pytest.LogCaptureFixture) -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, UnreachableError("away"), {})
    for reason in ("RunFailed", "DaemonLost"):
        parts.recorder.record(a_notice(reason))
    async with writing(parts):
        await parts.recorder.drained()
    assert "The Event RunFailed of acme/job was not written: away" in caplog.text
    assert parts.metric("provisioner_api_writes_total", kind="event", result="failed") == 1
    assert parts.metric("provisioner_api_writes_total", kind="event", result="ok") == 1


@virtual_time
async def test_a_standby_writes_none() -> None:
    parts = ControllerParts(leads=False)
    parts.recorder.record(a_notice())
    async with writing(parts):
        await parts.recorder.drained()
    assert parts.client.requests == []


@virtual_time
async def test_too_many_are_dropped_rather_than_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    parts = ControllerParts()
    parts.client.answers("POST", COLLECTION, Hang())
    for _ in range(1001):
        parts.recorder.record(a_notice())
    assert [record.getMessage() for record in caplog.records] == [
        "Too many Events are waiting: dropped RunFailed of acme/job"
    ]
