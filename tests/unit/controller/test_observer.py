"""Observations reach the reconcilers, wake the decision loop and are reported once, by the leader alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.controller import clock
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.kube.errors import BusyError, UnreachableError
from support.builders.controller import ControllerParts, stored
from support.builders.core import at
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
    an_assignment,
)

NOON = "2027-01-15T08:00:00Z"
POD_LABELS = {"provisioner.dev/daemon": "true"}


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "read", lambda: at(0))


def in_contact(parts: ControllerParts) -> bool:
    return parts.observer.in_contact


def woken(parts: ControllerParts) -> bool:
    """Whether the loop was woken since the last call."""
    was_set = parts.observer.wake._event.is_set()  # noqa: SLF001 - the loop alone may wait for it
    parts.observer.wake.clear()
    return was_set


def notices(parts: ControllerParts) -> list[str]:
    """The reasons of the Events that were recorded and not yet written."""
    backlog = parts.recorder._backlog  # noqa: SLF001 - they are written by a task that does not run
    return [backlog.get_nowait().reason for _ in range(backlog.qsize())]


def a_pod(**annotations: str) -> Mapping[str, Any]:
    meta = {"name": "pod", "labels": POD_LABELS, "annotations": annotations}
    return stored({"metadata": meta}, phase="Running")


def a_running_job(version: int = 2) -> Mapping[str, Any]:
    given = an_assignment(instance="process")
    return stored(a_job_manifest(), version=version, phase="Running", assignment=given, startedAt=NOON)


def a_failed_job(version: int = 3) -> Mapping[str, Any]:
    body = dict(a_running_job(version))
    return body | {"status": body["status"] | {"phase": "Failed", "reason": "RunFailed", "finishedAt": NOON}}


@pytest.mark.parametrize(
    ("kind", "manifest"),
    [
        ("daemon", a_daemon_manifest()),
        ("pool", a_pool_manifest()),
        ("template", a_template_manifest()),
        ("workspace", a_workspace_manifest()),
    ],
)
def test_an_object_is_known_from_its_first_sight_to_its_deletion(kind: str, manifest: dict[str, Any]) -> None:
    parts = ControllerParts()
    body = stored(manifest, version=2)
    observe, forget = getattr(parts.observer, kind), getattr(parts.observer, f"{kind}_deleted")

    def known() -> int:
        return len(
            [*parts.jobs.daemons(), *parts.pools.pools(), *parts.workspaces.templates(), *parts.workspaces.workspaces()]
        )

    observe(body)
    assert (known(), woken(parts)) == (1, True)
    observe(stored(manifest, version=1))
    assert not woken(parts), "an older version is no news"
    forget(body["metadata"]["uid"])
    assert (known(), woken(parts)) == (0, True)


def test_a_job_is_known_from_its_first_sight_to_its_deletion() -> None:
    parts = ControllerParts()
    job = parts.observer.job(stored(a_job_manifest(), phase="Pending"))
    assert job is not None
    assert (parts.jobs.job(job.uid), woken(parts)) == (job, True)
    parts.observer.job_deleted(job.uid)
    assert (parts.jobs.job(job.uid), woken(parts)) == (None, True)


def test_a_job_of_a_workspace_reaches_the_workspace_and_alone_if_it_is_read_for_it() -> None:
    parts = ControllerParts()
    place = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "c"}
    body = stored(a_job_manifest("dev-1", workspaceRef=place), phase="Pending")
    parts.observer.build(body)
    assert set(parts.workspaces.unfinished_jobs()) == {"uid-of-dev-1"}
    assert parts.jobs.job("uid-of-dev-1") is None
    assert woken(parts)
    parts.observer.job(body)
    assert parts.jobs.job("uid-of-dev-1") is not None
    parts.observer.job_deleted("uid-of-dev-1")
    assert parts.workspaces.unfinished_jobs() == {}


@pytest.mark.parametrize(("phase", "reason"), [("Pending", "JobDeleted"), ("?", "JobVanished"), (None, "JobVanished")])
def test_the_last_state_of_a_deleted_job_reaches_its_workspace(phase: str | None, reason: str) -> None:
    parts = ControllerParts()
    place = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "c"}
    manifest = a_job_manifest("dev-1", workspaceRef=place)
    parts.observer.workspace(stored(a_workspace_manifest("dev")))
    parts.observer.build(stored(manifest, phase="Pending"))
    parts.observer.job_deleted("uid-of-dev-1", None if phase is None else stored(manifest, version=2, phase=phase))
    (build,) = parts.workspaces._workspaces["uid-of-dev"].builds.values()  # noqa: SLF001 - the next status shows it
    assert (build.record.phase, build.record.reason) == ("Canceled", reason)


def test_another_kind_of_job_is_forgotten_with_its_last_state() -> None:
    parts = ControllerParts()
    body = stored(a_job_manifest(), phase="Pending")
    parts.observer.job(body)
    parts.observer.job_deleted("uid-of-job", body)
    assert parts.jobs.job("uid-of-job") is None


def test_a_job_that_is_observed_reaches_its_workspace_too() -> None:
    parts = ControllerParts()
    place = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "c"}
    parts.observer.job(stored(a_job_manifest("dev-1", workspaceRef=place), phase="Pending"))
    assert set(parts.workspaces.unfinished_jobs()) == {"uid-of-dev-1"}


def test_a_job_of_a_template_reaches_the_template() -> None:
    parts = ControllerParts()
    parts.observer.template(stored(a_template_manifest()))
    reference = {"name": "template", "uid": "uid-of-template", "version": "template-1"}
    manifest = a_job_manifest("i", type="TemplateImport", transition=None, workspaceRef=None, templateRef=reference)
    parts.observer.build(stored(manifest, phase="Pending"))
    assert set(parts.workspaces.unfinished_jobs()) == {"uid-of-i"}


def test_the_watchs_report_of_our_own_write_is_no_news() -> None:
    parts = ControllerParts()
    parts.observer.job(a_running_job(2))
    woken(parts)
    parts.observer.job_watched(stored(a_job_manifest(type="unreadable"), version=2))
    assert not woken(parts)
    assert notices(parts) == []
    parts.observer.job_watched(a_failed_job(3))
    assert woken(parts)


def test_the_leader_logs_counts_and_records_the_end_of_a_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    parts = ControllerParts()
    parts.observer.job(a_running_job())
    parts.observer.job(a_failed_job())
    parts.observer.job(a_failed_job())
    assert notices(parts) == ["RunFailed"]
    assert parts.metric("provisioner_job_failures_total", reason="RunFailed") == 1
    assert [record.getMessage() for record in caplog.records] == ["Job acme/job is Failed"]


def test_a_standby_reports_nothing_but_knows_the_same(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    parts = ControllerParts(leads=False)
    parts.observer.job(stored(a_job_manifest("bad", type="Sideways")))
    parts.observer.job(a_running_job())
    assert next(iter(parts.jobs.jobs())).phase is Phase.RUNNING
    parts.observer.job(a_failed_job())
    assert notices(parts) == []
    assert parts.metric("provisioner_job_failures_total", reason="RunFailed") == 0
    assert caplog.records == []


def test_an_event_says_once_that_a_job_is_stuck() -> None:
    parts = ControllerParts()
    for version, reason in enumerate(("Queued", "NoMatchingDaemon", "NoMatchingDaemon"), start=1):
        parts.observer.job(stored(a_job_manifest(), version=version, phase="Pending", reason=reason))
    assert notices(parts) == ["NoMatchingDaemon"]


@pytest.mark.parametrize(
    ("kind", "observe", "body"),
    [
        ("ProvisionerJob", "job", a_job_manifest(type="Sideways")),
        ("ProvisionerJob", "build", a_job_manifest(type="Sideways")),
        ("ProvisionerDaemon", "daemon", a_daemon_manifest(capacity="many")),
        ("ProvisionerPool", "pool", a_pool_manifest(capacity="many")),
        ("WorkspaceTemplate", "template", a_template_manifest(priority="high")),
        ("Workspace", "workspace", a_workspace_manifest(running="perhaps")),
        ("Pod", "pod", {"metadata": {"name": "pod", "annotations": {"provisioner.dev/capacity": "many"}}}),
    ],
)
def test_an_object_that_fits_no_model_is_reported_once_per_version(
    kind: str, observe: str, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    parts = ControllerParts()
    for version in (1, 1, 2):
        getattr(parts.observer, observe)(stored(body, version=version))
    assert notices(parts) == ["Unparseable", "Unparseable"]
    assert parts.metric("provisioner_unparseable_objects_total", kind=kind) == 2
    assert len(caplog.records) == 2
    assert caplog.records[0].getMessage().startswith(f"{kind} acme/{body['metadata']['name']}: Ignored: ")


def test_a_deleted_object_of_the_same_version_is_reported_again() -> None:
    parts = ControllerParts()
    body = stored(a_pool_manifest(capacity="many"))
    parts.observer.pool(body)
    parts.observer.pool_deleted(body["metadata"]["uid"])
    parts.observer.pool(body)
    assert notices(parts) == ["Unparseable", "Unparseable"]


def test_nothing_is_decided_on_an_object_whose_last_version_cannot_be_read() -> None:
    parts = ControllerParts()
    parts.observer.job(stored(a_job_manifest(pendingTimeoutSeconds=1), phase="Pending"))
    parts.observer.job(stored(a_job_manifest(type="Sideways"), version=2))
    assert list(parts.jobs.decide(at(1000))) == []


def test_a_pod_whose_annotations_make_no_daemon_still_counts_in_its_pool() -> None:
    parts = ControllerParts()
    pool = stored(a_pool_manifest())
    parts.observer.pool(pool)
    woken(parts)
    owner = {"apiVersion": "v1", "kind": "ProvisionerPool", "name": "pool", "uid": "uid-of-pool", "controller": True}
    meta = {
        "name": "pod",
        "labels": POD_LABELS | {"provisioner.dev/pool-revision": "r"},
        "annotations": {"provisioner.dev/capacity": "many"},
        "ownerReferences": [owner],
    }
    parts.observer.pod(stored({"metadata": meta}, phase="Running"))
    assert woken(parts)
    assert notices(parts) == ["Unparseable"]


def test_a_job_that_may_outlast_the_grace_of_its_pool_is_reported_once_for_the_pool() -> None:
    parts = ControllerParts()
    parts.observer.pool(stored(a_pool_manifest(template={"terminationGracePeriodSeconds": 3600})))
    owner = {"apiVersion": "v1", "kind": "ProvisionerPool", "name": "pool", "uid": "uid-of-pool", "controller": True}
    labels = POD_LABELS | {"provisioner.dev/pool-revision": "r"}
    parts.observer.pod(stored({"metadata": {"name": "pod", "labels": labels, "ownerReferences": [owner]}}))
    daemon = a_daemon_manifest()
    pod = {"apiVersion": "v1", "kind": "Pod", "name": "pod", "uid": "uid-of-pod", "controller": True}
    parts.observer.daemon(stored(daemon | {"metadata": daemon["metadata"] | {"ownerReferences": [pod]}}))
    assignment = an_assignment(instance="process")
    for name in ("first", "second"):
        parts.observer.job(stored(a_job_manifest(name), phase="Pending", assignment=an_assignment()))
        running = stored(a_job_manifest(name), version=2, phase="Running", assignment=assignment, startedAt=NOON)
        parts.observer.job(running)
    notice = parts.recorder._backlog.get_nowait()  # noqa: SLF001 - it is written by a task that does not run
    assert (notice.kind, notice.name, notice.reason) == ("ProvisionerPool", "pool", "GracePeriodTooShort")
    assert "Job first may run for 3600 s" in notice.note
    assert "terminationGracePeriodSeconds to 3810" in notice.note
    assert notices(parts) == []


def test_a_pod_is_known_until_it_is_deleted() -> None:
    parts = ControllerParts()
    body = a_pod()
    parts.observer.pod(body)
    assert (parts.jobs.pod_uids(), woken(parts)) == ({"uid-of-pod": "acme"}, True)
    parts.observer.pod_deleted("uid-of-pod", "acme", body)
    assert woken(parts)


def test_an_event_on_the_pod_says_why_it_is_no_daemon() -> None:
    parts = ControllerParts()
    parts.observer.pod(a_pod())
    (decision,) = parts.jobs.decide(at(0))
    parts.observer.refused(decision, Refusal("Invalid", "the tag is reserved"))
    notice = parts.recorder._backlog.get_nowait()  # noqa: SLF001 - it is written by a task that does not run
    assert (notice.kind, notice.name, notice.reason, notice.api_version) == ("Pod", "pod", "DaemonRefused", "v1")
    assert "the tag is reserved. Correct the annotations." in notice.note


def test_a_loss_of_contact_and_its_end_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    parts = ControllerParts()
    parts.observer.contact_lost(BusyError("busy", None))
    assert in_contact(parts)
    for _ in range(2):
        parts.observer.contact_lost(UnreachableError("no answer"))
    assert not in_contact(parts)
    assert not woken(parts)
    for _ in range(2):
        parts.observer.contact()
    assert in_contact(parts)
    assert woken(parts)
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "A request did not reach the API server: no answer",
        "The API server answers again",
    ]


def test_an_outage_lasts_from_the_last_answer_or_watch_event_to_the_next_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = ControllerParts()
    outages: list[tuple[float, float]] = []
    monkeypatch.setattr(parts.jobs, "contact_regained", lambda since, now: outages.append((since, now.monotonic)))
    steps = [
        (1, parts.observer.contact),
        (2, lambda: parts.observer.daemon(stored(a_daemon_manifest()))),
        (3, lambda: parts.observer.contact_lost(UnreachableError("no answer"))),
        (4, lambda: parts.observer.contact_lost(UnreachableError("no answer"))),
        (5, parts.observer.contact),
        (6, parts.observer.contact),
    ]
    for second, step in steps:
        monkeypatch.setattr(clock, "read", lambda second=second: at(second))
        step()
    assert outages == [(at(2).monotonic, at(5).monotonic)]
