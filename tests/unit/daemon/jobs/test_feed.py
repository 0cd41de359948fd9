"""The daemon's cache of its own unfinished jobs, fed by a list and a watch."""

import asyncio
from typing import Any

import pytest

from provisioner_operator.daemon.jobs.feed import JobFeed
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from provisioner_operator.kube.selectors import unfinished_jobs_of
from support.scripted_client import ScriptedClient, a_page
from support.virtual_time import run_in_virtual_time
from unit.daemon.builders import a_job_body
from unit.daemon.stored_objects import StoredObjects


class Wakings:
    def __init__(self) -> None:
        self.count = 0
        self.restorations = 0

    def __call__(self) -> None:
        self.count += 1

    def restored(self) -> None:
        self.restorations += 1


def a_feed(api: StoredObjects | None = None) -> tuple[JobFeed, Wakings]:
    wakings = Wakings()
    feed = JobFeed(
        api or StoredObjects(), namespace="acme", daemon="d1", on_change=wakings, on_restored=wakings.restored
    )
    return feed, wakings


def a_version(version: int, **more: Any) -> dict[str, Any]:
    body = a_job_body(**more)
    body["metadata"]["resourceVersion"] = str(version)
    return body


def test_it_follows_the_unfinished_jobs_of_its_daemon_and_no_others() -> None:
    ended = a_job_body("ended", phase="Completed")
    unassigned = a_job_body("unassigned")
    unassigned["status"] = {"phase": "Pending"}
    bodies = [a_job_body("one"), ended, a_job_body("other", daemon="d2"), unassigned]
    api = StoredObjects({paths.job("acme", body["metadata"]["name"]): body for body in bodies})
    feed, wakings = a_feed(api)

    async def run() -> None:
        following = asyncio.create_task(feed.follow())
        await asyncio.sleep(1)
        assert set(feed.jobs) == {"uid-of-one"}
        api.store(paths.job("acme", "two"), a_job_body("two"))
        await asyncio.sleep(1)
        assert set(feed.jobs) == {"uid-of-one", "uid-of-two"}
        api.store(paths.job("acme", "one"), a_job_body("one", phase="Failed"))
        api.remove(paths.job("acme", "two"))
        await asyncio.sleep(1)
        assert not feed.jobs
        following.cancel()

    run_in_virtual_time(run())
    assert wakings.count == 5  # the job, the end of the list, and three changes


def test_the_selector_leaves_out_every_way_to_end() -> None:
    assert unfinished_jobs_of("d1") == (
        "status.assignment.daemon=d1,status.phase!=Canceled,status.phase!=Completed,status.phase!=Failed"
    )


def test_only_a_newer_version_replaces_what_is_known_and_wakes() -> None:
    feed, wakings = a_feed()
    for version, workspace in ((7, "seven"), (7, "again"), (6, "six"), (8, "eight")):
        feed.seen(a_version(version, workspaceRef={"name": workspace}))
    assert [job.workspace for job in feed.jobs.values()] == ["eight"]
    assert wakings.count == 2


def test_a_job_that_cannot_be_parsed_leaves_the_last_version_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    feed, wakings = a_feed()
    feed.seen(a_version(7))
    broken = a_version(8)
    broken["spec"]["transition"] = 7
    feed.seen(broken)
    assert [job.resource_version for job in feed.jobs.values()] == [7]
    assert wakings.count == 1
    assert "Cannot parse job acme/dev-7" in caplog.text


def test_an_older_version_does_not_bring_back_a_job_that_has_ended() -> None:
    feed, wakings = a_feed()
    feed.seen(a_version(7))
    feed.forget("uid-of-dev-7")
    feed.seen(a_version(8))
    assert (dict(feed.jobs), wakings.count) == ({}, 1)
    assert set(feed.known()) == {"uid-of-dev-7"}  # until a list or the watch reports its end
    feed.deleted(a_version(9))
    assert set(feed.known()) == set()


def test_nothing_is_kept_of_a_job_whose_end_the_watch_reported_first() -> None:
    feed, _ = a_feed()
    feed.seen(a_version(7))
    feed.deleted(a_version(9))
    feed.forget("uid-of-dev-7")
    assert set(feed.known()) == set()


def test_a_job_that_left_wakes_once() -> None:
    feed, wakings = a_feed()
    feed.seen(a_version(7))
    feed.missed("uid-of-dev-7")
    feed.deleted(a_version(9))
    assert (dict(feed.jobs), wakings.count) == ({}, 2)


def test_a_job_whose_end_was_written_is_forgotten_without_waking() -> None:
    feed, wakings = a_feed()
    feed.seen(a_version(7))
    feed.forget("uid-of-dev-7")
    feed.forget("uid-of-dev-7")
    assert (dict(feed.jobs), wakings.count) == ({}, 1)


def test_after_a_restore_the_jobs_are_taken_as_they_are_and_none_is_missing_meanwhile() -> None:
    client = ScriptedClient()
    path = paths.jobs("acme")
    running = {"phase": "Running", "instance": "i1"}
    before = a_page(a_version(90, workspaceRef={"name": "later"}, **running), version=95)
    restored = a_page(a_version(40, workspaceRef={"name": "earlier"}, **running), version=50)
    client.answers("GET", path, before, restored)
    client.watched(path, UnreachableError("the API server is restarted"))
    wakings = Wakings()
    seen: list[list[str | None]] = []

    def look() -> None:
        wakings()
        seen.append([job.workspace for job in feed.jobs.values()])

    feed = JobFeed(client, namespace="acme", daemon="d1", on_change=look, on_restored=wakings.restored)

    async def run() -> None:
        following = asyncio.create_task(feed.follow())
        await asyncio.sleep(30)
        following.cancel()

    run_in_virtual_time(run())
    assert [job.resource_version for job in feed.jobs.values()] == [40]
    assert wakings.restorations == 1
    assert seen == [["later"], ["later"], ["earlier"], ["earlier"]]


def test_an_assignment_that_a_restore_brought_back_is_never_taken_up() -> None:
    client = ScriptedClient()
    path = paths.jobs("acme")
    client.answers("GET", path, a_page(version=95), a_page(a_version(40), version=50))
    client.watched(path, UnreachableError("the API server is restarted"))
    wakings = Wakings()
    feed = JobFeed(client, namespace="acme", daemon="d1", on_change=wakings, on_restored=wakings.restored)

    async def run() -> None:
        following = asyncio.create_task(feed.follow())
        await asyncio.sleep(30)
        following.cancel()

    run_in_virtual_time(run())
    assert wakings.restorations == 1
    feed.seen(a_version(51, priority=1))
    assert dict(feed.jobs) == {}
    again = a_version(52)
    again["status"]["assignment"]["id"] = "a2"
    feed.seen(again)
    assert [job.resource_version for job in feed.jobs.values()] == [52]


def test_without_their_definition_the_jobs_are_gone_until_it_is_made_again() -> None:
    client = ScriptedClient()
    path = paths.jobs("acme")
    client.answers("GET", path, a_page(a_version(40), version=50), a_page(a_version(70, uid="new"), version=80))
    client.watched(path, NotFoundError(404, "the server could not find the requested resource"))
    seen: list[set[str]] = []
    feed = JobFeed(
        client,
        namespace="acme",
        daemon="d1",
        on_change=lambda: seen.append(set(feed.jobs)),
        on_restored=lambda: None,
    )

    async def run() -> None:
        following = asyncio.create_task(feed.follow())
        await asyncio.sleep(30)
        following.cancel()

    run_in_virtual_time(run())
    assert seen == [{"uid-of-dev-7"}, {"uid-of-dev-7"}, set(), {"new"}, {"new"}]
