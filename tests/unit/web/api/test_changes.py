"""The stream of changes: what a reader gets, where it goes on, and what it never sees."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.api import changes
from provisioner_operator.web.api.changes import KINDS, Feed, Position, position_of
from provisioner_operator.web.event_stream import RETRY
from provisioner_operator.web.index.cluster_index import ClusterIndex
from support.builders.manifests import a_job_manifest
from support.coder.api_world import (
    ACME,
    OTHER,
    ApiWorld,
    a_build_job,
    a_daemon,
    a_stored,
    a_workspace,
    an_index,
    may_all_in,
    uid,
)
from support.virtual_time import now, run_in_virtual_time

if TYPE_CHECKING:
    from provisioner_operator.kube.client import KubeClient

PROCESS = "p"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send changes without gathering them for a while."""
    monkeypatch.setattr(changes, "COALESCED_SECONDS", 0.0)


def a_feed(index: ClusterIndex, **fields: Any) -> Feed:
    rights = fields.pop("rights", may_all_in(ACME))

    async def review(question: Question) -> bool:
        return bool(rights(question))

    caller = Caller(User("sam"), cast("KubeClient", None), None, "sam", review, lambda: index.namespaces)
    return Feed(index, caller, PROCESS, **{"kinds": frozenset(KINDS), "within": None} | fields)


def read(feed: Feed, last_id: str, change: Callable[[], None] = lambda: None, *, events: int) -> list[str]:
    """Return so many events; the change happens after the first one, at which the reader is told to retry."""

    async def reading() -> list[str]:
        stream: AsyncGenerator[bytes, None] = feed.events(last_id)
        found = []
        async with asyncio.timeout(60):
            await anext(stream)
            following = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            change()
            found.append((await following).decode())
            while len(found) < events:
                found.append((await anext(stream)).decode())
        await stream.aclose()
        return found

    return run_in_virtual_time(reading())


def data_of(event: str) -> Any:
    return json.loads(event.partition("data: ")[2])


def test_a_reader_is_told_where_it_begins_and_gets_what_changes() -> None:
    index = an_index()
    feed = a_feed(index)

    ready, made, position = read(feed, "", lambda: index.apply(JOBS, "ADDED", a_build_job(9)), events=3)
    assert ready.startswith("event: ready\nid: p-")
    assert data_of(made)["id"] == uid(JOBS, "dev-9")
    assert data_of(made)["object"]["status"] == "pending"
    assert position == f"id: {Position(PROCESS, index.version).id}\n\n"


def test_a_reader_goes_on_where_it_was() -> None:
    index = an_index()
    before = Position(PROCESS, index.version).id
    index.apply(WORKSPACES, "ADDED", a_workspace("new"))
    index.apply(WORKSPACES, "DELETED", a_workspace("new"))
    index.apply(JOBS, "ADDED", a_build_job(9))

    gone, made, _ = read(a_feed(index), before, events=3)
    assert (data_of(gone)["kind"], data_of(gone)["object"]) == ("workspaces", None)
    assert data_of(made)["id"] == uid(JOBS, "dev-9")


@pytest.mark.parametrize("last_id", ["other-3", "nonsense", "p-x"])
def test_a_place_of_another_process_means_to_begin_anew(last_id: str) -> None:
    [event] = read(a_feed(an_index()), last_id, events=1)
    assert event.startswith("event: reset\nid: p-")


def test_a_place_that_was_never_reached_means_to_begin_anew() -> None:
    [event] = read(a_feed(an_index()), Position(PROCESS, 10**9).id, events=1)
    assert event.startswith("event: reset\n")


def test_a_place_that_is_too_old_means_to_begin_anew() -> None:
    index = an_index()
    before = Position(PROCESS, 0).id
    for version in range(2, 5000):
        index.apply(JOBS, "MODIFIED", a_build_job(9, message=f"{version}", metadata={"resourceVersion": f"{version}"}))
    [event] = read(a_feed(index), before, events=1)
    assert event.startswith("event: reset\n")


def a_change_of_each(index: ClusterIndex) -> None:
    index.apply(JOBS, "ADDED", a_stored(JOBS, a_job_manifest("secret"), namespace=OTHER))
    index.apply(WORKSPACES, "ADDED", a_workspace("new"))
    index.apply(JOBS, "ADDED", a_build_job(9))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {uid(WORKSPACES, "new"), uid(JOBS, "dev-9")}),
        ({"kinds": frozenset({JOBS})}, {uid(JOBS, "dev-9")}),
        ({"within": {OTHER}}, set()),
        ({"rights": lambda _: True, "within": {OTHER}}, {uid(JOBS, "secret")}),
        ({"rights": lambda question: question.resource == JOBS and question.namespace == ACME}, {uid(JOBS, "dev-9")}),
    ],
)
def test_a_reader_sees_only_what_it_may_and_wants(fields: dict[str, Any], expected: set[str]) -> None:
    index = an_index()
    before = Position(PROCESS, index.version).id
    a_change_of_each(index)
    found = read(a_feed(index, **fields), before, events=len(expected) + 1)
    assert {data_of(each)["id"] for each in found if each.startswith("event: change")} == expected
    assert f"id: {Position(PROCESS, index.version).id}\n" in found[-1]


def test_threat_21_the_time_of_an_event_tells_nothing_of_foreign_changes() -> None:
    async def reading(*, others: bool) -> list[tuple[float, bytes]]:
        index = an_index()
        stream = a_feed(index).events("")
        found = []

        async def work() -> None:
            for number in range(400):
                await asyncio.sleep(0.1)
                index.apply(JOBS, "ADDED", a_stored(JOBS, a_job_manifest(f"secret-{number}"), namespace=OTHER))

        working = asyncio.ensure_future(work()) if others else None
        for _ in range(4):
            event = await anext(stream)
            found.append((round(now(), 1), event.partition(b"\nid: ")[0]))
        await stream.aclose()
        if working is not None:
            working.cancel()
        return found

    quiet, busy = (run_in_virtual_time(reading(others=others)) for others in (False, True))
    assert quiet == [(0.0, RETRY), (0.0, b"event: ready"), (15.0, b": ping"), (30.0, b": ping")]
    assert [event for _, event in busy] == [event for _, event in quiet]
    assert all(abs(one - other) <= 0.2 for (one, _), (other, _) in zip(quiet, busy, strict=True))


def test_threat_21_an_id_tells_no_number_of_changes() -> None:
    first, second = (int(Position(PROCESS, version).id.rpartition("-")[2], 16) for version in (7, 8))
    assert (first ^ second).bit_count() > 8


def test_threat_21_no_job_shows_beside_a_daemon_or_workspace() -> None:
    index = an_index()
    before = Position(PROCESS, index.version).id
    draining = a_daemon("busy", state="Draining")
    draining["metadata"]["resourceVersion"] = "99"
    index.apply(DAEMONS, "MODIFIED", draining)
    index.apply(WORKSPACES, "ADDED", a_workspace("gone"))
    feed = a_feed(index, rights=lambda question: question.namespace == ACME and question.resource != JOBS)

    daemon, workspace, _ = read(feed, before, events=3)
    assert data_of(daemon)["object"]["previous_job"] is None
    assert data_of(workspace)["object"]["latest_build"]["job"]["status"] == "pending"
    assert uid(JOBS, "gone-5") not in workspace


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("kind=workspaces&organization=acme", 200),
        ("organization=acme", 200),
        ("kind=provisionerjobs&organization=acme", 404),
        ("kind=workspaces&organization=other", 404),
        ("kind=workspaces&organization=no-such-namespace", 404),
    ],
)
def test_one_right_of_those_asked_for_opens_the_stream(query: str, status: int) -> None:
    world = ApiWorld()
    world.users.rights = {"sam": lambda asked: (asked.resource, asked.namespace) == (WORKSPACES, ACME)}
    world.app.state.context.streams.close()  # A stream that is opened from now on ends at once.
    assert world.get(f"/api/provisioner/v1/events?{query}").status_code == status


def test_a_place_is_a_process_and_a_version() -> None:
    assert position_of(Position("ab-c", 12).id, "ab-c") == Position("ab-c", 12)
    assert position_of("", PROCESS) is None
    assert position_of("p-²", PROCESS) is None
    assert position_of("p-12", PROCESS) is None
