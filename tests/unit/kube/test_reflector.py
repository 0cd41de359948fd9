"""A reflector reports every change of a collection, however often its watch ends, breaks or expires."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from provisioner_operator.kube.errors import ForbiddenError, GoneError, InternalError, NotFoundError, UnreachableError
from provisioner_operator.kube.reflector import SHORTEST_WATCH_SECONDS, SLOWEST_RETRY_SECONDS, Reflector
from support.scripted_client import Hang, ScriptedClient, a_page, an_object
from support.virtual_time import now, virtual_time

PATH = "/apis/things"


class Log:
    """A sink that notes every call, with the name of the object."""

    def __init__(self, *known: str, malformed: str = "") -> None:
        self._known = known
        self._malformed = malformed
        self.calls: list[str] = []

    def known(self) -> Iterable[str]:
        return [f"uid-of-{name}" for name in self._known]

    def seen(self, body: Mapping[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name == self._malformed:
            raise ValueError(name)
        self.calls.append(f"seen {name}@{body['metadata']['resourceVersion']}")

    def deleted(self, uid: str) -> None:
        self.calls.append(f"deleted {uid.removeprefix('uid-of-')}")

    def missed(self, uid: str) -> None:
        self.calls.append(f"missed {uid.removeprefix('uid-of-')}")

    def listed(self) -> None:
        self.calls.append("listed")


@asynccontextmanager
async def following(client: ScriptedClient, sink: Log, *, seconds: float) -> AsyncIterator[None]:
    """Let a reflector follow the collection for some seconds of virtual time."""
    task = asyncio.create_task(Reflector(client, PATH, sink).follow())
    await asyncio.sleep(seconds)
    assert not task.done()
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def watched_from(client: ScriptedClient) -> list[str]:
    """The version that each watch began with."""
    return [request.parameters["resourceVersion"] for request in client.sent("WATCH")]


@virtual_time
async def test_all_pages_of_a_list_are_reported_and_then_that_it_is_complete() -> None:
    client, sink = ScriptedClient(), Log("two", "gone")
    client.answers("GET", PATH, a_page(an_object("one"), following="more"), a_page(an_object("two")))
    await Reflector(client, PATH, sink, listing="a=b").list()
    assert sink.calls == ["seen one@1", "seen two@1", "missed gone", "listed"]
    first, second = client.sent("GET")
    assert (first.parameters["fieldSelector"], "continue" in first.parameters) == ("a=b", False)
    assert second.parameters["continue"] == "more"


@virtual_time
async def test_a_list_that_breaks_off_reports_nothing_as_missing() -> None:
    client, sink = ScriptedClient(), Log("gone")
    client.answers("GET", PATH, a_page(an_object("one"), following="more"), UnreachableError("cut"))
    with pytest.raises(UnreachableError):
        await Reflector(client, PATH, sink).list()
    assert sink.calls == ["seen one@1"]


@virtual_time
async def test_a_watch_begins_where_the_list_ended_and_with_its_own_selector() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page(version=42))
    reflector = Reflector(client, PATH, sink, listing="phase!=Failed", watching="phase=Failed")
    await reflector.list()
    task = asyncio.create_task(reflector.follow())
    await asyncio.sleep(1)
    task.cancel()
    (watch,) = client.sent("WATCH")
    assert watch.parameters == {"resourceVersion": "42", "fieldSelector": "phase=Failed"}
    assert len(client.sent("GET")) == 1


@virtual_time
async def test_changes_are_reported_and_bookmarks_only_move_the_version_on() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    client.watched(
        PATH,
        ("ADDED", an_object("one", version=11)),
        ("MODIFIED", an_object("one", version=12)),
        ("DELETED", an_object("one", version=13)),
        ("BOOKMARK", an_object("bookmark", version=99)),
    )
    async with following(client, sink, seconds=5):
        assert sink.calls == ["listed", "seen one@11", "seen one@12", "deleted one"]
        assert watched_from(client) == ["10", "99"]


@virtual_time
async def test_watches_that_end_at_once_begin_a_second_apart() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    for _ in range(3):
        client.watched(PATH)
    async with following(client, sink, seconds=10):
        assert [watch.at for watch in client.sent("WATCH")] == [n * SHORTEST_WATCH_SECONDS for n in range(4)]


@virtual_time
async def test_a_long_watch_that_ends_is_resumed_at_once() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    client.watched(PATH, 300.0)
    async with following(client, sink, seconds=301):
        assert [watch.at for watch in client.sent("WATCH")] == [0, 300]


@virtual_time
async def test_a_watch_that_is_cut_in_the_middle_is_resumed_without_a_list_or_a_growing_pause() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    for version in range(11, 19):
        client.watched(PATH, ("MODIFIED", an_object(version=version)), UnreachableError("cut"))
    async with following(client, sink, seconds=20):
        assert watched_from(client) == [str(version) for version in range(10, 19)]
        assert [watch.at for watch in client.sent("WATCH")] == [n * SHORTEST_WATCH_SECONDS for n in range(9)]
        assert sink.calls.count("listed") == 1


@virtual_time
async def test_a_version_that_is_too_old_makes_a_new_list_which_reports_what_disappeared() -> None:
    client, sink = ScriptedClient(), Log("gone")
    client.answers("GET", PATH, a_page(an_object("gone")), a_page(an_object("new"), version=50))
    client.watched(PATH, GoneError(410, "too old resource version"))
    async with following(client, sink, seconds=5):
        assert sink.calls == ["seen gone@1", "listed", "seen new@1", "missed gone", "listed"]
        assert watched_from(client) == ["10", "50"]


@virtual_time
async def test_a_list_that_expires_between_its_pages_begins_anew() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page(an_object("one"), following="old"), GoneError(410, "expired"), a_page())
    async with following(client, sink, seconds=5):
        assert sink.calls == ["seen one@1", "listed"]
        assert [("continue" in request.parameters) for request in client.sent("GET")] == [False, True, False]


@virtual_time
async def test_pauses_between_failures_grow_to_a_bound_and_a_success_ends_them() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, *(UnreachableError("away") for _ in range(12)), a_page())
    client.watched(PATH, 30.0)
    client.watched(PATH, UnreachableError("away"))
    async with following(client, sink, seconds=200):
        lists = [request.at for request in client.sent("GET")]
        pauses = [later - earlier for earlier, later in pairwise(lists)]
        assert pauses[0] < pauses[-1]
        assert (max(pauses), pauses[-1]) == pytest.approx((SLOWEST_RETRY_SECONDS, SLOWEST_RETRY_SECONDS))
        last, after_success, after_failure = [watch.at for watch in client.sent("WATCH")][-3:]
        assert after_success == pytest.approx(last + 30)
        assert 0 < after_failure - after_success < SLOWEST_RETRY_SECONDS / 2


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (ForbiddenError(403, "no"), "/apis/things cannot be followed: no (HTTP 403). Grant list and watch."),
        (
            NotFoundError(404, "no"),
            "/apis/things cannot be followed: no (HTTP 404). Install the definition of its kind.",
        ),
        (InternalError(500, "etcd"), None),
        (OSError("reset"), None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_error_of_the_server_or_the_network_ends_it(
    error: Exception, logged: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    @virtual_time
    async def survives() -> None:
        client, sink = ScriptedClient(), Log()
        client.answers("GET", PATH, a_page())
        client.watched(PATH, error)
        async with following(client, sink, seconds=30):
            assert watched_from(client) == ["10", "10"]

    with caplog.at_level(logging.ERROR):
        survives()
    assert [record.message for record in caplog.records] == ([] if logged is None else [logged])


@virtual_time
async def test_an_object_that_the_sink_cannot_process_hides_no_other() -> None:
    client, sink = ScriptedClient(), Log(malformed="bad")
    client.answers("GET", PATH, a_page(an_object("bad"), an_object("one")))
    client.watched(PATH, ("ADDED", an_object("bad", version=11)), ("ADDED", an_object("two", version=12)), Hang())
    async with following(client, sink, seconds=1):
        assert sink.calls == ["seen one@1", "listed", "seen two@12"]
    assert now() == 1
