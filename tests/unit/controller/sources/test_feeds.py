"""The feeds pass what the reflectors see to the observer, each for the namespace that it follows."""

from typing import Any

import pytest

from provisioner_operator.controller.sources import feeds
from provisioner_operator.controller.sources.feeds import JobFeed
from provisioner_operator.controller.writes.writer import Departed
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import paths
from provisioner_operator.kube.selectors import UNFINISHED_JOBS
from support.builders.controller import ControllerParts, stored
from support.builders.manifests import a_daemon_manifest, a_job_manifest, a_template_manifest, a_workspace_manifest
from support.scripted_client import a_page
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


def a_feed(parts: ControllerParts, namespace: str | None = None) -> JobFeed:
    return JobFeed(parts.observer, parts.reconcilers, parts.writer, namespace)


def submitted(parts: ControllerParts) -> list[tuple[str, str, str]]:
    """The reads that the writer was asked for."""
    lines = parts.writer._queue._lines  # noqa: SLF001 - no writer runs
    reads = [work for line in lines.values() for _, _, work in line]
    lines.clear()
    return [(each.namespace, each.name, each.uid) for each in reads if isinstance(each, Departed)]


def a_build(name: str = "dev-1", namespace: str = "acme") -> dict[str, object]:
    place = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 1, "change": "c"}
    return dict(stored(a_job_manifest(name, workspaceRef=place), namespace=namespace, phase="Pending"))


@virtual_time
async def test_only_unfinished_jobs_are_listed_and_all_are_watched() -> None:
    parts = ControllerParts()
    path = paths.jobs("acme")
    parts.client.answers("GET", path, a_page(stored(a_job_manifest(), phase="Pending")))
    feed = a_feed(parts, "acme")
    await feed.reflector(parts.client).list()
    assert [job.name for job in parts.jobs.jobs()] == ["job"]
    assert parts.client.requests[0].parameters["fieldSelector"] == UNFINISHED_JOBS
    assert feed.relisted.is_set(), "the end of others may have been missed"


@virtual_time
async def test_jobs_of_every_reconciler_are_known_but_only_of_the_namespace() -> None:
    parts = ControllerParts()
    for namespace in ("acme", "globex"):
        parts.observer.job(stored(a_job_manifest(f"job-of-{namespace}"), namespace=namespace, phase="Pending"))
    parts.observer.build(a_build())
    # The version of a build's job is not known before the watch brings the job.
    assert a_feed(parts, "acme").known() == {"uid-of-job-of-acme": 1, "uid-of-dev-1": 0}
    assert a_feed(parts).known() == {"uid-of-job-of-acme": 1, "uid-of-job-of-globex": 1, "uid-of-dev-1": 0}


@virtual_time
async def test_a_job_that_a_list_lacks_is_read_to_learn_its_end() -> None:
    parts = ControllerParts()
    feed = a_feed(parts)
    parts.observer.job(stored(a_job_manifest(), phase="Pending"))
    parts.observer.build(a_build())
    for uid in ("uid-of-job", "uid-of-dev-1", "uid-of-nobody"):
        feed.missed(uid)
    assert submitted(parts) == [("acme", "job", "uid-of-job"), ("acme", "dev-1", "uid-of-dev-1")]
    assert parts.jobs.job("uid-of-job") is not None, "it may have ended rather than been deleted"


@virtual_time
async def test_a_job_is_observed_as_the_watch_reports_it_and_forgotten_when_it_is_deleted() -> None:
    parts = ControllerParts()
    feed = a_feed(parts)
    feed.seen(stored(a_job_manifest(), phase="Pending"))
    assert parts.jobs.job("uid-of-job") is not None
    feed.deleted(stored(a_job_manifest(), phase="Pending"))
    assert parts.jobs.job("uid-of-job") is None


@virtual_time
async def test_the_watch_shows_that_a_deleted_build_never_began() -> None:
    parts = ControllerParts()
    feed = a_feed(parts)
    parts.observer.workspace(stored(a_workspace_manifest("dev")))
    feed.seen(a_build())
    feed.deleted(a_build())
    (build,) = parts.workspaces._workspaces["uid-of-dev"].builds.values()  # noqa: SLF001 - the next status shows it
    assert build.record.reason == "JobDeleted"


@pytest.mark.parametrize("kind", ["daemons", "templates", "workspaces"])
@virtual_time
async def test_other_kinds_are_listed_whole_and_what_a_list_lacks_is_forgotten(kind: str) -> None:
    parts = ControllerParts()
    manifest = {"daemons": a_daemon_manifest, "templates": a_template_manifest, "workspaces": a_workspace_manifest}[
        kind
    ]
    mirror = parts.jobs if kind == "daemons" else parts.workspaces

    def names() -> set[tuple[str, str]]:
        known: dict[str, Any] = {
            "daemons": [daemon for daemon, _ in parts.jobs.daemons()],
            "templates": parts.workspaces.templates(),
            "workspaces": parts.workspaces.workspaces(),
        }
        return {(each.namespace, each.name) for each in known[kind]}

    path = getattr(paths, kind)("acme")
    here, gone = stored(manifest("here")), stored(manifest("gone"))
    parts.client.answers("GET", path, a_page(here, gone), a_page(here))
    reflector = getattr(feeds, kind)(parts.client, parts.observer, mirror, "acme")
    elsewhere = getattr(feeds, kind)(parts.client, parts.observer, mirror, "globex")
    parts.client.answers("GET", getattr(paths, kind)("globex"), a_page(stored(manifest("other"), namespace="globex")))
    await elsewhere.list()
    await reflector.list()
    assert names() == {("acme", "here"), ("acme", "gone"), ("globex", "other")}
    await reflector.list()
    assert names() == {("acme", "here"), ("globex", "other")}
    assert "fieldSelector" not in parts.client.requests[0].parameters


@virtual_time
async def test_a_daemon_that_cannot_be_parsed_exists_until_a_list_lacks_it() -> None:
    parts = ControllerParts()
    later = stored(a_daemon_manifest("later") | {"spec": {"capacity": "of a later version"}})
    parts.client.answers("GET", paths.daemons("acme"), a_page(later), a_page())
    reflector = feeds.daemons(parts.client, parts.observer, parts.jobs, "acme")
    await reflector.list()
    assert [each.uid for each in parts.jobs.unreadable_daemons()] == ["uid-of-later"]
    await reflector.list()
    assert list(parts.jobs.unreadable_daemons()) == []


@virtual_time
async def test_only_a_deletion_that_the_watch_reports_leaves_the_time_of_the_last_heartbeat_as_it_is() -> None:
    parts = ControllerParts()
    reported: list[tuple[str, bool]] = []

    def record(uid: str, now: Instant, *, watched: bool = False) -> None:  # noqa: ARG001 - as of the reconciler
        reported.append((uid, watched))

    parts.jobs.daemon_deleted = record  # type: ignore[method-assign]
    reflector = feeds.daemons(parts.client, parts.observer, parts.jobs, "acme")
    parts.client.answers("GET", paths.daemons("acme"), a_page(stored(a_daemon_manifest("missed"))), a_page())
    await reflector.list()
    await reflector.list()
    reflector._sink.deleted({"metadata": {"uid": "uid-of-watched"}})  # noqa: SLF001 - as a watch does
    assert reported == [("uid-of-missed", False), ("uid-of-watched", True)]
