"""A reflector reports every change of a collection, however often its watch ends, breaks or expires."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from provisioner_operator.kube.errors import (
    BusyError,
    ForbiddenError,
    GoneError,
    InternalError,
    NotFoundError,
    RestoredError,
    UnreachableError,
    UnsettledError,
)
from provisioner_operator.kube.reflector import Reflector
from support.scripted_client import Hang, ScriptedClient, Slow, a_page, an_object
from support.virtual_time import now, virtual_time

PATH = "/apis/things"


class Log:
    """A sink that notes every call, with the name of the object."""

    def __init__(self, *known: str, malformed: str = "", versions: Mapping[str, int] | None = None) -> None:
        """`known` objects have version 0, and those of `versions` another."""
        self._known = dict.fromkeys(known, 0) | dict(versions or {})
        self._malformed = malformed
        self.calls: list[str] = []

    def known(self) -> Mapping[str, int]:
        return {f"uid-of-{name}": version for name, version in self._known.items()}

    def seen(self, body: Mapping[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name == self._malformed:
            raise ValueError(name)
        self.calls.append(f"seen {name}@{body['metadata']['resourceVersion']}")

    def deleted(self, body: Mapping[str, Any]) -> None:
        self.calls.append(f"deleted {body['metadata']['name']}")

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
        assert [watch.at for watch in client.sent("WATCH")] == [0, 1, 2, 3]


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
    client.answers("GET", PATH, a_page(), a_page(version=99))
    for version in range(11, 19):
        client.watched(PATH, ("MODIFIED", an_object(version=version)), UnreachableError("cut"))
    async with following(client, sink, seconds=20):
        assert watched_from(client) == [str(version) for version in range(10, 19)]
        assert [watch.at for watch in client.sent("WATCH")] == [*range(9)]
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
        lists = [request.at for request in client.sent("GET") if "fieldSelector" not in request.parameters]
        pauses = [later - earlier for earlier, later in pairwise(lists)]
        assert pauses[0] < pauses[-1]
        assert (max(pauses), pauses[-1]) == pytest.approx((5, 5))
        last, after_success, after_failure = [watch.at for watch in client.sent("WATCH")][-3:]
        assert after_success == pytest.approx(last + 30)
        assert 0 < after_failure - after_success < 2.5


@pytest.mark.parametrize(
    "error",
    [GoneError(410, "expired"), ForbiddenError(403, "no"), NotFoundError(404, "no"), UnreachableError("away")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("takes", [0, 6])
@virtual_time
async def test_a_list_that_never_succeeds_is_tried_ever_more_rarely(error: Exception, takes: float) -> None:
    client, sink = ScriptedClient(), Log()
    client.delay = takes
    client.answers("GET", PATH, error)
    async with following(client, sink, seconds=100):
        pauses = [later - earlier - takes for earlier, later in pairwise(client.times("GET"))]
        assert pauses[-1] == pytest.approx(5)


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


@pytest.mark.parametrize(("error", "gone"), [(NotFoundError(404, "no"), True), (ForbiddenError(403, "no"), False)])
def test_a_kind_without_a_definition_has_no_objects_and_is_listed_anew(error: Exception, *, gone: bool) -> None:
    told: list[str] = []

    @virtual_time
    async def follow() -> None:
        client = ScriptedClient()
        client.answers("GET", PATH, a_page())
        client.watched(PATH, error)
        reflector = Reflector(client, PATH, Log(), undefined=lambda: told.append("undefined"))
        task = asyncio.create_task(reflector.follow())
        await asyncio.sleep(30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(client.sent("GET")) == (2 if gone else 1)

    follow()
    assert told == (["undefined"] if gone else [])


@virtual_time
async def test_an_object_that_the_sink_cannot_process_hides_no_other() -> None:
    client, sink = ScriptedClient(), Log(malformed="bad")
    client.answers("GET", PATH, a_page(an_object("bad"), an_object("one")))
    client.watched(PATH, ("ADDED", an_object("bad", version=11)), ("ADDED", an_object("two", version=12)), Hang())
    async with following(client, sink, seconds=1):
        assert sink.calls == ["seen one@1", "listed", "seen two@12"]
    assert now() == 1


# --- versions that go back ---


@pytest.mark.parametrize(
    ("known", "page", "goes_back"),
    [
        pytest.param({}, a_page(version=5), False, id="nothing was known"),
        pytest.param({}, a_page(an_object("one", version=0), version=0), False, id="the lowest version"),
        pytest.param({"one": 7}, a_page(an_object("one", version=7), version=9), False, id="nothing has changed"),
        pytest.param({"one": 7}, a_page(an_object("one", version=8), version=8), False, id="a change"),
        pytest.param({"gone": 7}, a_page(version=9), False, id="a deletion"),
        pytest.param({"one": 0}, a_page(an_object("one", version=3), version=3), False, id="of unknown version"),
        pytest.param({"gone": 7}, a_page(version=6), True, id="the list is older than an object was"),
        pytest.param(
            {"one": 7}, a_page(an_object("one", version=6), version=9), True, id="an object is older than it was"
        ),
        pytest.param(
            {"one": 7},
            a_page(an_object("one", version=6), version=1_000_000_000),
            True,
            id="an object is older, but etcd's version was raised at the restore",
        ),
    ],
)
@virtual_time
async def test_a_list_older_than_what_was_known_before_it_ends_everything(
    known: Mapping[str, int], page: Any, *, goes_back: bool
) -> None:
    client, sink = ScriptedClient(), Log(versions=known)
    client.answers("GET", PATH, page)
    reflector = Reflector(client, PATH, sink)
    if not goes_back:
        await reflector.list()
        return
    with pytest.raises(RestoredError, match=f"{PATH} is at version 6 after 7 was observed: etcd was restored"):
        await reflector.list()
    assert sink.calls == [], "nothing of the one world is mixed with the other"


@pytest.mark.parametrize("newest", ["ADDED", "DELETED", "BOOKMARK"])
@virtual_time
async def test_a_list_older_than_what_was_watched_ends_everything(newest: str) -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page(version=10), a_page(version=19))
    client.watched(PATH, (newest, an_object(version=20)), GoneError(410, "compacted"))
    with pytest.raises(RestoredError, match="at version 19 after 20"):
        await Reflector(client, PATH, sink).follow()


@virtual_time
async def test_a_watch_that_broke_is_resumed_only_at_a_version_that_still_exists() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers(
        "GET", PATH, a_page(version=10), UnreachableError("starting"), a_page(version=12), a_page(version=11)
    )
    client.watched(PATH, ("ADDED", an_object(version=12)), UnreachableError("cut"))
    client.watched(PATH, UnreachableError("silent"))
    with pytest.raises(RestoredError, match="at version 11 after 12"):
        await Reflector(client, PATH, sink).follow()
    assert watched_from(client) == ["10", "12"]
    assert [request.parameters for request in client.sent("GET")[1:]] == [
        {"limit": "1", "fieldSelector": "metadata.name=none"}
    ] * 3


@virtual_time
async def test_a_watch_that_broke_after_a_long_time_is_resumed_at_once() -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    for _ in range(3):
        client.watched(PATH, 50.0, UnreachableError("idle for too long"))
    async with following(client, sink, seconds=151):
        assert [watch.at for watch in client.sent("WATCH")] == [0, 50, 100, 150]


@pytest.mark.parametrize(
    ("steps", "is_cut"),
    [
        pytest.param((300.0,), False, id="the server ended it"),
        pytest.param((UnreachableError("cut"),), True, id="it broke"),
        pytest.param((BusyError("busy", 1),), False, id="no room for it, which is an answer"),
        pytest.param(
            (UnsettledError("no"),), False, id="another request lost contact, which says nothing of this watch"
        ),
        pytest.param((UnreachableError("cut"), UnreachableError("cut")), True, id="it broke again"),
        pytest.param((GoneError(410, "compacted"),), True, id="its version is too old, or of a restored etcd"),
        pytest.param((ForbiddenError(403, "no"),), False, id="it is forbidden, which is an answer"),
        pytest.param((NotFoundError(404, "no"),), False, id="the kind is gone, which is an answer"),
        pytest.param((InternalError(500, "etcd"),), False, id="it fails, which is an answer"),
    ],
)
@virtual_time
async def test_a_collection_is_cut_from_the_loss_of_contact_until_its_version_is_known(
    steps: tuple[Any, ...], *, is_cut: bool
) -> None:
    client, resumed = ScriptedClient(), list[float]()
    client.answers("GET", PATH, a_page(), Slow(20, a_page()))
    client.watched(PATH, *steps)
    reflector = Reflector(client, PATH, Log(), resumed=lambda: resumed.append(now()))
    task = asyncio.create_task(reflector.follow())
    await asyncio.sleep(10)
    assert (reflector.is_cut, resumed) == (is_cut, [])
    await asyncio.sleep(300)
    assert not reflector.is_cut
    assert len(resumed) == (1 if is_cut else 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@virtual_time
async def test_a_collection_that_is_refused_after_the_loss_of_contact_is_not_cut_but_still_checked() -> None:
    client, resumed = ScriptedClient(), list[bool]()
    client.answers("GET", PATH, a_page(version=12), ForbiddenError(403, "no"), a_page(version=11))
    client.watched(PATH, UnreachableError("cut"))
    reflector = Reflector(client, PATH, Log(), resumed=lambda: resumed.append(reflector.is_cut))
    with pytest.raises(RestoredError, match="at version 11 after 12"):
        await reflector.follow()
    assert resumed == [False]


@pytest.mark.parametrize(
    "answer", [BusyError("busy", None), UnsettledError("no")], ids=lambda error: type(error).__name__
)
@virtual_time
async def test_an_answer_that_shows_no_version_neither_ends_a_cut_nor_spares_the_check(answer: Exception) -> None:
    client = ScriptedClient()
    client.answers("GET", PATH, a_page(version=12), answer, Slow(20, a_page(version=12)))
    client.watched(PATH, UnreachableError("cut"))
    reflector = Reflector(client, PATH, Log())
    task = asyncio.create_task(reflector.follow())
    await asyncio.sleep(15)
    assert reflector.cut_seconds == pytest.approx(15)
    await asyncio.sleep(15)
    assert (reflector.is_cut, reflector.cut_seconds) == (False, 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@virtual_time
async def test_a_collection_that_is_refused_is_not_cut_when_another_request_loses_contact() -> None:
    client = ScriptedClient()
    client.answers("GET", PATH, *[ForbiddenError(403, "no")] * 5, UnsettledError("no"))
    reflector = Reflector(client, PATH, Log())
    task = asyncio.create_task(reflector.follow())
    for _ in range(60):
        await asyncio.sleep(1)
        assert not reflector.is_cut
    assert len(client.sent("GET")) > 6
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@virtual_time
async def test_a_collection_of_a_restored_etcd_stays_cut() -> None:
    client = ScriptedClient()
    client.answers("GET", PATH, a_page(version=12), a_page(version=11))
    client.watched(PATH, UnreachableError("cut"))
    reflector = Reflector(client, PATH, Log())
    with pytest.raises(RestoredError):
        await reflector.follow()
    assert reflector.is_cut


@pytest.mark.parametrize("is_cut", [False, True])
@virtual_time
async def test_a_watch_that_the_server_ended_is_resumed_without_a_question(*, is_cut: bool) -> None:
    client, sink = ScriptedClient(), Log()
    client.answers("GET", PATH, a_page())
    if is_cut:
        client.watched(PATH, UnreachableError("cut"))
    for _ in range(3):
        client.watched(PATH, 300.0)
    async with following(client, sink, seconds=700):
        assert len(client.sent("GET")) == (2 if is_cut else 1)
