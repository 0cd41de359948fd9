"""The client turns every answer of an HTTP server, and every failure to get one, into a result or an error of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
    UnsettledError,
)
from provisioner_operator.kube.page_size import LONGEST_PAGE
from support.virtual_time import virtual_time

SERVER = "https://api.invalid"
PART = 1024 * 1024


@dataclass
class Response:
    """An answer as the HTTP library gives it."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    lines: tuple[bytes | Exception, ...] = ()
    parts_read: int = 0

    async def read(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def content(self) -> "Content":
        return Content(self)


class Content:
    """The stream of an answer: the lines of a watch, or the body in parts."""

    def __init__(self, response: Response) -> None:
        self._response = response

    async def iter_any(self) -> AsyncIterator[bytes]:
        for line in self._response.lines:
            if isinstance(line, Exception):
                raise line
            yield line
        if self._response.lines:
            return
        data = await self._response.read()
        self._response.parts_read = 0
        for at in range(0, len(data), PART):
            self._response.parts_read += 1
            yield data[at : at + PART]


class Session:
    """The HTTP library's session: each request gets the next response, or fails with the next error."""

    def __init__(self, *script: Response | Exception) -> None:
        self._script = list(script)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    @asynccontextmanager
    async def request(self, method: str, url: str, **arguments: Any) -> AsyncIterator[Response]:
        # A copy: the client adds the next page's token to the same parameters.
        arguments["params"] = dict(arguments.get("params") or {})
        self.requests.append((method, url, arguments))
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer

    def get(self, url: str, **arguments: Any) -> Any:
        return self.request("GET", url, **arguments)


def a_client(*script: Response | Exception) -> tuple[KubeClient, Session]:
    session = Session(*script)
    return KubeClient(cast("aiohttp.ClientSession", session), f"{SERVER}/"), session


def an_event(event: str, **body: Any) -> bytes:
    return json.dumps({"type": event, "object": body}).encode() + b"\n"


async def watched(client: KubeClient, seen: list[str] | None = None) -> list[str]:
    """Watch to the end; `seen` has what came before an error."""
    seen = [] if seen is None else seen
    async for kind, _ in client.watch("/things", resource_version="7", field_selector="a=b"):
        seen.append(kind)
    return seen


Send = Callable[[KubeClient], Coroutine[Any, Any, Any]]


@pytest.mark.parametrize(
    ("send", "method", "content_type", "body"),
    [
        (lambda client: client.get("/things/one", limit="1"), "GET", None, None),
        (lambda client: client.create("/things/one", {"a": 1}), "POST", "application/json", {"a": 1}),
        (
            lambda client: client.json_patch("/things/one", JsonPatch(tests=(("/a", 1),), sets=())),
            "PATCH",
            "application/json-patch+json",
            [{"op": "test", "path": "/a", "value": 1}],
        ),
        (lambda client: client.merge_patch("/things/one", {"a": 1}), "PATCH", "application/merge-patch+json", {"a": 1}),
        (
            lambda client: client.delete("/things/one", uid="u", resource_version=3),
            "DELETE",
            "application/json",
            {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u", "resourceVersion": "3"}},
        ),
        (
            lambda client: client.delete("/things/one", uid="u"),
            "DELETE",
            "application/json",
            {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u"}},
        ),
        (
            lambda client: client.delete("/things/one", uid="u", grace_seconds=0),
            "DELETE",
            "application/json",
            {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u"}, "gracePeriodSeconds": 0},
        ),
    ],
    ids=["get", "create", "json patch", "merge patch", "delete a version", "delete", "delete at once"],
)
@virtual_time
async def test_each_request_is_sent_in_its_form(send: Send, method: str, content_type: str | None, body: Any) -> None:
    client, session = a_client(Response(body={"kind": "Thing"}))
    await send(client)
    ((sent, url, arguments),) = session.requests
    assert (sent, url) == (method, f"{SERVER}/things/one")
    assert arguments["headers"].get("Content-Type") == content_type
    assert (None if arguments["data"] is None else json.loads(arguments["data"])) == body
    assert arguments["timeout"].total == 20


@virtual_time
async def test_a_client_adds_its_headers_and_may_have_a_session_for_streams() -> None:
    session, streams = Session(Response(), Response()), Session(Response(lines=(b"one\n",)))
    client = KubeClient(
        cast("aiohttp.ClientSession", session),
        SERVER,
        {"Authorization": "Bearer me"},
        streams=cast("aiohttp.ClientSession", streams),
    )
    await client.get("/things/one")
    await client.create("/things", {})
    await read_lines(client, [])
    sent = [arguments["headers"] for _, _, arguments in (*session.requests, *streams.requests)]
    own = {"Authorization": "Bearer me"}
    assert sent == [own, own | {"Content-Type": "application/json"}, own]


@virtual_time
async def test_a_deletion_that_is_held_up_returns_the_object() -> None:
    held_up = {"kind": "Thing", "metadata": {"finalizers": ["a"]}}
    client, _ = a_client(Response(body=held_up), Response(body={"kind": "Status", "status": "Success"}))
    assert await client.delete("/things/one", uid="u") == held_up
    assert await client.delete("/things/one", uid="u") is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, GoneError),
        (422, InvalidError),
        (500, InternalError),
        (503, UnreachableError),
        (400, KubeError),
    ],
)
@virtual_time
async def test_a_refusal_is_raised_with_the_words_of_the_api_server(status: int, error: type[KubeError]) -> None:
    client, _ = a_client(Response(status, {"message": "the reason"}), Response(status, {"message": "the reason"}))
    with pytest.raises(error, match="the reason"):
        await client.get("/things/one")
    with pytest.raises(error, match="the reason"):
        await watched(client)


@virtual_time
async def test_only_a_patch_with_tests_can_fail_a_precondition() -> None:
    client, _ = a_client(Response(422, {"message": "the reason"}), Response(422, {"message": "the reason"}))
    with pytest.raises(PreconditionFailedError):
        await client.json_patch("/things/one", JsonPatch(tests=(("/metadata/uid", "u"),), sets=()))
    with pytest.raises(InvalidError):
        await client.json_patch("/things/one", JsonPatch(tests=(), sets=(("/spec/a", 1),)))


@virtual_time
async def test_the_lowest_status_of_an_error_is_one() -> None:
    client, _ = a_client(Response(399, {"kind": "Thing"}), Response(400, {}))
    assert await client.get("/things/one") == {"kind": "Thing"}
    with pytest.raises(KubeError):
        await client.get("/things/one")


@virtual_time
async def test_a_busy_api_server_is_not_taken_for_one_that_is_away() -> None:
    client, _ = a_client(Response(429, {"message": "busy"}, {"Retry-After": "3"}), Response(403, {}))
    with pytest.raises(BusyError) as caught:
        await client.get("/things/one")
    assert caught.value.retry_after == 3
    with pytest.raises(ForbiddenError):
        await client.get("/things/one")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b'"a text"'], ids=["no JSON", "no object"])
@virtual_time
async def test_the_text_of_a_proxy_is_shown(body: bytes) -> None:
    client, _ = a_client(Response(502, body))
    with pytest.raises(UnreachableError, match=body.decode().strip('"')):
        await client.get("/things/one")


@virtual_time
async def test_of_a_long_text_only_the_beginning_is_shown() -> None:
    client, _ = a_client(Response(502, b"x" * 10_000))
    with pytest.raises(UnreachableError) as caught:
        await client.get("/things/one")
    assert str(caught.value).count("x") == 500


@pytest.mark.parametrize("error", [aiohttp.ClientError("reset"), TimeoutError()], ids=["reset", "timeout"])
@virtual_time
async def test_a_failed_connection_names_the_request(error: Exception) -> None:
    client, _ = a_client(error, error)
    with pytest.raises(UnreachableError) as caught:
        await client.merge_patch("/things/one", {})
    assert str(caught.value) == f"PATCH /things/one: {error!r}"
    with pytest.raises(UnreachableError) as caught:
        await watched(client)
    assert str(caught.value) == f"watch of /things: {error!r}"


@virtual_time
async def test_an_answer_that_is_cut_off_counts_as_none() -> None:
    client, _ = a_client(Response(body=b'{"kind": "Th'))
    with pytest.raises(UnreachableError):
        await client.get("/things/one")


@pytest.mark.parametrize(
    ("send", "failure"),
    [
        (lambda client: client.get("/things/one"), aiohttp.ClientError("refused")),
        (lambda client: client.get("/things/one"), Response(503, {})),
        (lambda client: client.get("/things/one"), Response(body=b"no JSON")),
        (watched, aiohttp.ClientError("refused")),
        (watched, Response(503, {})),
        (watched, Response(lines=(b"no JSON\n",))),
        (lambda client: read_lines(client, []), Response(lines=(aiohttp.ClientPayloadError("cut"),))),
    ],
    ids=[
        "no connection",
        "503",
        "no answer",
        "no watch",
        "503 of a watch",
        "a watch that is cut",
        "a text that is cut",
    ],
)
@pytest.mark.parametrize(
    ("after", "expected"), [(29, UnsettledError), (30, ForbiddenError)], ids=["just started", "settled"]
)
def test_a_refusal_of_an_api_server_that_has_just_started_may_pass(
    after: float, expected: type[KubeError], send: Send, failure: Response | Exception
) -> None:
    @virtual_time
    async def ask() -> None:
        client, _ = a_client(failure, Response(403, {"message": "no"}))
        with pytest.raises(UnreachableError):
            await send(client)
        await asyncio.sleep(after)
        with pytest.raises(expected):
            await client.get("/things/one")

    ask()


@virtual_time
async def test_a_refusal_is_one_where_the_api_server_was_never_away() -> None:
    client, _ = a_client(Response(401, {}))
    with pytest.raises(ForbiddenError):
        await client.get("/things/one")


@virtual_time
async def test_a_list_asks_for_page_after_page_with_the_same_selectors() -> None:
    client, session = a_client(
        Response(body={"metadata": {"continue": "more"}, "items": [1]}), Response(body={"metadata": {}, "items": [2]})
    )
    pages = client.list_pages("/things", field_selector="a=b", label_selector="c=d")
    assert [page["items"] async for page in pages] == [[1], [2]]
    same = {"fieldSelector": "a=b", "labelSelector": "c=d"}
    first, second = (arguments["params"] for _, _, arguments in session.requests)
    assert (first, second) == (same | {"limit": "16"}, same | {"limit": "64", "continue": "more"})


@virtual_time
async def test_a_page_is_gone_before_the_next_is_read() -> None:
    client, _ = a_client(
        Response(body={"metadata": {"continue": "more"}, "items": [1]}), Response(body={"metadata": {}, "items": [2]})
    )
    held: list[dict[str, Any]] = []
    async for page in client.list_pages("/things"):
        held.append(page)
        assert [each.get("items") for each in held] == [None] * (len(held) - 1) + [[len(held)]]


@virtual_time
async def test_a_page_that_grows_too_long_is_left_unread_and_asked_for_with_fewer_objects() -> None:
    small = {"metadata": {"continue": "more"}, "items": [1] * 16}
    long = Response(body=b"x" * (10 * LONGEST_PAGE))
    client, session = a_client(Response(body=small), long, Response(body={"metadata": {}, "items": [2]}))
    assert [page["items"] async for page in client.list_pages("/things")] == [[1] * 16, [2]]
    assert long.parts_read == LONGEST_PAGE // PART + 1
    asked = [
        (arguments["params"]["limit"], arguments["params"].get("continue")) for _, _, arguments in session.requests
    ]
    assert asked == [("16", None), ("64", "more"), ("16", "more")]


@virtual_time
async def test_a_page_may_be_as_long_as_the_longest() -> None:
    page = json.dumps({"metadata": {}, "items": []}).encode().ljust(LONGEST_PAGE)
    client, session = a_client(Response(body=page))
    assert [page["items"] async for page in client.list_pages("/things")] == [[]]
    ((_, _, arguments),) = session.requests
    assert arguments["params"] == {"limit": "16"}


@virtual_time
async def test_a_single_object_is_read_whatever_its_size() -> None:
    long = [Response(body=b"x" * (LONGEST_PAGE + 1)) for _ in range(2)]
    single = Response(body={"metadata": {}, "items": ["x" * LONGEST_PAGE]})
    client, session = a_client(*long, single)
    pages = [page async for page in client.list_pages("/things")]
    assert len(pages) == 1
    assert [arguments["params"]["limit"] for _, _, arguments in session.requests] == ["16", "4", "1"]


@virtual_time
async def test_a_watch_yields_events_until_the_server_ends_it() -> None:
    client, session = a_client(Response(lines=(an_event("ADDED"), an_event("BOOKMARK"))))
    assert await watched(client) == ["ADDED", "BOOKMARK"]
    ((_, _, arguments),) = session.requests
    assert arguments["params"] == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "7",
        "timeoutSeconds": "300",
        "fieldSelector": "a=b",
    }
    timeout = arguments["timeout"]
    # A bookmark comes once a minute.
    assert (timeout.total, timeout.connect, timeout.sock_read) == (None, 10, 75)


@pytest.mark.parametrize(("code", "error"), [(410, GoneError), (504, UnreachableError), (None, InternalError)])
@virtual_time
async def test_an_error_event_is_raised_as_the_error_that_it_is(code: int | None, error: type[KubeError]) -> None:
    status = {"kind": "Status", "message": "too old"} | ({} if code is None else {"code": code})
    client, _ = a_client(Response(lines=(an_event("ADDED"), an_event("ERROR", **status), an_event("ADDED"))))
    seen: list[str] = []
    with pytest.raises(error, match="too old"):
        await watched(client, seen)
    assert seen == ["ADDED"]


@pytest.mark.parametrize(
    "cut",
    [b'{"type": "ADDED", "obj', aiohttp.ClientPayloadError("cut"), TimeoutError()],
    ids=["line", "stream", "silence"],
)
@virtual_time
async def test_a_watch_that_is_cut_off_raises_after_what_came_before(cut: bytes | Exception) -> None:
    client, _ = a_client(Response(lines=(an_event("ADDED"), cut)))
    seen: list[str] = []
    with pytest.raises(UnreachableError, match="watch of /things"):
        await watched(client, seen)
    assert seen == ["ADDED"]


async def read_lines(client: KubeClient, seen: list[str]) -> None:
    async for line in client.lines("/pods/one/log", {"follow": "true"}, quiet_seconds=7):
        seen.append(line)  # noqa: PERF401 - it has what came before an error


@virtual_time
async def test_a_text_is_read_line_by_line_as_it_arrives() -> None:
    client, session = a_client(Response(lines=(b"one\n", b"\n", "zwölf\n".encode(), b"\xffcut")))
    seen: list[str] = []
    await read_lines(client, seen)
    assert seen == ["one", "", "zwölf", "\N{REPLACEMENT CHARACTER}cut"]
    ((method, url, arguments),) = session.requests
    assert (method, url, arguments["params"]) == ("GET", f"{SERVER}/pods/one/log", {"follow": "true"})
    assert (arguments["timeout"].total, arguments["timeout"].sock_read) == (None, 7)


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (aiohttp.ClientPayloadError("cut"), "GET /pods/one/log"),
        (ValueError("the line is too long"), "GET /pods/one/log"),
        (aiohttp.SocketTimeoutError(), "brought nothing for 7 s"),
    ],
    ids=["stream", "line", "silence"],
)
@virtual_time
async def test_a_text_that_is_cut_off_raises_after_what_came_before(cut: Exception, reason: str) -> None:
    client, _ = a_client(Response(lines=(b"one\n", cut)))
    seen: list[str] = []
    with pytest.raises(UnreachableError, match=reason):
        await read_lines(client, seen)
    assert seen == ["one"]


@virtual_time
async def test_a_stream_that_is_not_read_keeps_little() -> None:
    client, session = a_client(Response(lines=(an_event("ADDED"),)), Response(lines=(b"one\n",)))
    await watched(client)
    await read_lines(client, [])
    # The HTTP library keeps twice as much.
    assert [arguments["read_bufsize"] for _, _, arguments in session.requests] == [64 * 1024] * 2


@virtual_time
async def test_a_line_that_is_too_long_is_cut_in_a_text_and_breaks_a_watch() -> None:
    parts = (b"x" * PART,) * 9
    client, _ = a_client(Response(lines=(*parts, b"\ntwo\n")), Response(lines=(an_event("ADDED"), *parts, b"\n")))
    seen: list[str] = []
    await read_lines(client, seen)
    assert [len(line) for line in seen] == [128 * 1024, 3]
    with pytest.raises(UnreachableError, match="watch of /things"):
        await watched(client)


@pytest.mark.parametrize(("length", "is_read"), [(8 * PART, True), (8 * PART + 1, False)])
@virtual_time
async def test_an_event_may_be_larger_than_any_object(length: int, *, is_read: bool) -> None:
    event = an_event("ADDED", text="")
    event = event.replace(b'""', b'"' + b"x" * (length - len(event) + 1) + b'"')
    client, _ = a_client(Response(lines=(event,)))
    if is_read:
        assert await watched(client) == ["ADDED"]
        return
    with pytest.raises(UnreachableError, match="watch of /things"):
        await watched(client)


@virtual_time
async def test_a_text_that_is_refused_raises_the_words_of_the_api_server() -> None:
    client, _ = a_client(Response(403, {"message": "no pods/log"}))
    with pytest.raises(ForbiddenError, match="no pods/log"):
        await read_lines(client, [])


@virtual_time
async def test_a_quiet_text_is_not_taken_for_an_api_server_that_was_away() -> None:
    client, _ = a_client(Response(lines=(aiohttp.SocketTimeoutError(),)), Response(403, {}))
    with pytest.raises(UnreachableError):
        await read_lines(client, [])
    with pytest.raises(ForbiddenError):
        await client.get("/things/one")
