"""The index of all kinds: what it takes from events, and what counts as a change."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.index.changes import Change
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.index.query import JobQuery
from support.builders.core import NAMESPACE, NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest, an_assignment
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


def test_nobody_goes_offline_for_heartbeats_that_could_not_arrive() -> None:
    now, away = NOON, 0.0
    index = ClusterIndex(lambda: Instant(now, 0))
    index.measure_contact(lambda: away)
    index.apply(DAEMONS, "ADDED", a_daemon())
    daemon = index.queue.daemon("uid-of-daemon")
    assert daemon is not None
    now, away = NOON + 3600, 3600.0
    assert index.queue.is_online(daemon)
    away = 0.0
    assert not index.queue.is_online(daemon)


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


def test_a_version_that_is_known_is_not_read_again() -> None:
    index = an_index()
    index.put(JOBS, stored(a_job_manifest(), resourceVersion="2"))
    for version in ("1", "2"):
        index.put(JOBS, stored(a_job_manifest(type="FromTheFuture"), resourceVersion=version))
    assert index.skipped[JOBS] == 0

    index.put(JOBS, stored(a_job_manifest(type="FromTheFuture"), resourceVersion="3"))
    assert index.skipped[JOBS] == 1


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


def test_the_heartbeat_of_a_daemon_that_was_silent_is_a_change() -> None:
    at = {"now": float(NOON)}
    index = ClusterIndex(lambda: Instant(at["now"], 0))
    index.queue.advance()
    index.put(DAEMONS, a_daemon())
    at["now"] += 60
    index.queue.advance()
    version = index.version

    index.put(DAEMONS, a_daemon("2027-01-15T08:00:59Z", version="2"))
    assert index.changes_since(version) == [Change(DAEMONS, NAMESPACE, "uid-of-daemon")]
    index.put(DAEMONS, a_daemon("2027-01-15T08:01:00Z", version="3"))
    assert index.version == version + 1


def stuck(index: ClusterIndex, *namespaces: str) -> list[str]:
    page, counts = index.jobs.page_and_counts(JobQuery(stuck=True), namespaces or [NAMESPACE], 50)
    assert page.total == len(page.rows) == counts.stuck
    return [row.job.name for row in page.rows]


def test_stuck_jobs_are_those_at_the_time_of_the_question() -> None:
    at = {"now": float(NOON)}
    index = ClusterIndex(lambda: Instant(at["now"], 0))
    index.put(JOBS, stored(a_job_manifest()))
    assert stuck(index) == ["job"]
    assert stuck(index, "other") == []
    index.put(DAEMONS, a_daemon())
    assert stuck(index) == []

    at["now"] += 60
    assert stuck(index) == ["job"]
    index.put(DAEMONS, a_daemon("2027-01-15T08:00:59Z", version="2"))
    assert stuck(index) == []
    index.remove(DAEMONS, "uid-of-daemon")
    assert stuck(index) == ["job"]
    index.remove(JOBS, "uid-of-job")
    assert stuck(index) == []


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


VERSIONS = st.lists(st.sampled_from(["Pending", "Running", "Completed"]), min_size=1, max_size=4)
HISTORIES = st.dictionaries(st.sampled_from(["dev-1", "dev-2", "dev-10"]), VERSIONS, max_size=3)


def a_version(name: str, version: int, phase: str) -> dict[str, Any]:
    status: dict[str, Any] = {"phase": phase}
    if phase != "Pending":
        status |= {"assignment": an_assignment(), "startedAt": "2027-01-15T08:00:00Z"}
    return stored(a_job_manifest(name), status=status, resourceVersion=str(version))


def shown(index: ClusterIndex) -> object:
    page = index.jobs.page(JobQuery(), [NAMESPACE], None)
    return [(row, index.queue.place(row.job.uid), index.queue.reason(row.job)) for row in page.rows]


@given(HISTORIES, st.randoms(use_true_random=False))
def test_in_whatever_order_versions_arrive_the_last_ones_remain(
    histories: dict[str, list[str]], random: Random
) -> None:
    expected, index = an_index(), an_index()
    events = [(name, at, phase) for name, phases in histories.items() for at, phase in enumerate(phases, start=1)]
    for name, at, phase in events:
        if at == len(histories[name]):
            expected.put(JOBS, a_version(name, at, phase))
    # Twice, as where a list and a watch report the same, and mixed up, as where a list is older than a watch.
    mixed = [*events, *events]
    random.shuffle(mixed)
    for name, at, phase in mixed:
        index.put(JOBS, a_version(name, at, phase))

    assert shown(index) == shown(expected)
    assert len(index.changes_since(0) or ()) == len(histories)
