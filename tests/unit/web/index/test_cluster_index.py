"""The index of all kinds: what it takes from events, and what counts as a change."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.index.query import JobQuery
from support.builders.core import NAMESPACE, NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.builders.stored import stored


def an_index() -> ClusterIndex:
    return ClusterIndex(lambda: Instant(NOON, 0))


def a_daemon(heartbeat: str = "2027-01-15T08:00:00Z", *, version: str = "1", **status: Any) -> dict[str, Any]:
    status = {"state": "Idle", "lastHeartbeatTime": heartbeat} | status
    return stored(a_daemon_manifest(), status=status, resourceVersion=version)


def test_a_job_is_found_by_uid_by_name_and_on_a_page() -> None:
    index = an_index()
    index.apply(JOBS, "ADDED", stored(a_job_manifest()))

    row = index.jobs.get("uid-of-job")
    assert row is not None
    assert row is index.jobs.named(NAMESPACE, "job")
    assert index.jobs.page(JobQuery(), [NAMESPACE], 50).rows == [row]
    assert str(index.queue.place(row.job.uid)) == "1/1"
    assert index.queue.reason(row.job) == "NoMatchingDaemon"
    assert index.queue.is_stuck(row.job)


def test_a_job_that_is_gone_is_nowhere() -> None:
    index = an_index()
    index.apply(JOBS, "ADDED", stored(a_job_manifest()))
    index.apply(JOBS, "DELETED", stored(a_job_manifest(), resourceVersion="2"))

    assert index.jobs.get("uid-of-job") is None
    assert index.jobs.named(NAMESPACE, "job") is None
    assert index.jobs.page(JobQuery(), [NAMESPACE], 50).total == 0
    assert index.queue.place("uid-of-job") is None


def test_an_object_that_cannot_be_read_is_skipped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    index = an_index()
    index.apply(JOBS, "ADDED", stored(a_job_manifest("odd", type="FromTheFuture")))
    index.apply(JOBS, "ADDED", stored(a_job_manifest()))

    assert index.skipped[JOBS] == 1
    assert len(index.jobs) == 1
    assert "Skipping acme/odd of provisionerjobs" in caplog.text


def test_a_heartbeat_alone_is_no_change() -> None:
    index = an_index()
    index.apply(DAEMONS, "ADDED", a_daemon())
    version = index.version

    index.apply(DAEMONS, "MODIFIED", a_daemon("2027-01-15T08:00:10Z", version="2"))
    assert index.version == version
    row = index.daemons.get("uid-of-daemon")
    assert row is not None
    assert row.body["status"]["lastHeartbeatTime"] == "2027-01-15T08:00:10Z"

    index.apply(DAEMONS, "MODIFIED", a_daemon("2027-01-15T08:00:20Z", version="3", state="Draining"))
    assert index.version == version + 1


def test_it_is_ready_once_all_kinds_are_listed() -> None:
    index = an_index()
    index.complete(JOBS, DAEMONS)
    assert not index.is_ready
    index.complete()
    assert index.is_ready


def test_a_namespace_is_found_by_its_uid() -> None:
    index = an_index()
    index.apply(
        NAMESPACES,
        "ADDED",
        {"metadata": {"name": "acme", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2027-01-15T08:00:00Z"}},
    )
    assert list(index.namespaces) == ["acme"]
    assert index.namespace_uid("acme") == "u"
    assert index.namespace_of_uid("u") == "acme"
