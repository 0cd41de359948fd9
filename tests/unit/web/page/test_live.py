"""Renderings that many readers share, and the ends of streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, UnreachableError
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page.live import (
    Rendering,
    Renderings,
    View,
    event_bytes,
    permitted_to,
    renderings_of,
    respond,
    stream,
)
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import StreamEnd, StreamEndedError, Streams
from support.coder.api_world import KnownUsers

if TYPE_CHECKING:
    from starlette.responses import StreamingResponse

    from provisioner_operator.kube.client import KubeClient


def a_rendering(**rows: str) -> Rendering:
    return Rendering(
        {key: Markup(f"<tr data-key={key}>{text}</tr>") for key, text in rows.items()},
        lambda each: Markup("").join(each),
    )


def counting(rendering: Rendering) -> tuple[Callable[[], Rendering], list[None]]:
    calls: list[None] = []

    def make() -> Rendering:
        calls.append(None)
        return rendering

    return make, calls


def test_a_view_is_rendered_once_for_all_its_readers() -> None:
    make, calls = counting(a_rendering(a="1"))
    renderings = Renderings()
    first = renderings.event("view", 1, make, "")
    assert renderings.event("view", 1, make, "") == first
    assert len(calls) == 1
    renderings.event("other", 1, make, "")
    renderings.event("view", 2, make, "")
    assert len(calls) == 3


def test_what_a_reader_has_seen_is_not_sent_again() -> None:
    renderings = Renderings()
    digest, text = renderings.event("view", 1, lambda: a_rendering(a="1"), "")
    assert text == "<tr data-key=a>1</tr>"
    assert renderings.event("view", 1, lambda: a_rendering(a="1"), digest) == (digest, None)
    assert renderings.event("view", 2, lambda: a_rendering(a="1"), digest) == (digest, None)


def test_a_reader_of_the_former_rendering_gets_only_changed_rows() -> None:
    renderings = Renderings()
    seen, _ = renderings.event("view", 1, lambda: a_rendering(a="1", b="1"), "")
    _, text = renderings.event("view", 2, lambda: a_rendering(a="1", b="2"), seen)
    assert text == '<tr data-key="a" data-same></tr><tr data-key=b>2</tr>'


def test_a_reader_of_an_older_rendering_gets_everything() -> None:
    renderings = Renderings()
    seen, _ = renderings.event("view", 1, lambda: a_rendering(a="1", b="1"), "")
    renderings.event("view", 2, lambda: a_rendering(a="1", b="2"), seen)
    _, text = renderings.event("view", 3, lambda: a_rendering(a="1", b="3"), seen)
    assert text == "<tr data-key=a>1</tr><tr data-key=b>3</tr>"


def test_a_view_is_forgotten_with_its_last_reader() -> None:
    renderings = Renderings()
    make, calls = counting(a_rendering(a="1"))
    with renderings.reading("view"):
        with renderings.reading("view"):
            renderings.event("view", 1, make, "")
        renderings.event("view", 1, make, "")
        assert len(calls) == 1
    renderings.event("view", 1, make, "")
    assert len(calls) == 2


def test_the_oldest_renderings_beyond_the_memory_for_all_are_forgotten() -> None:
    renderings = Renderings(most_bytes=50_000)
    make, calls = counting(a_rendering(a="x" * 4_000))
    for view in range(20):
        renderings.event(view, 1, make, "")
    renderings.event(19, 1, make, "")
    assert len(calls) == 20
    renderings.event(0, 1, make, "")
    assert len(calls) == 21


def test_a_view_that_alone_exceeds_the_memory_is_kept_and_counted_once() -> None:
    renderings = Renderings(most_bytes=1_000)
    make, calls = counting(a_rendering(a="x" * 4_000))
    for version in range(3):
        renderings.event("view", version, make, "")
    assert len(calls) == 3
    renderings.event("view", 2, make, "")
    assert len(calls) == 3


def test_an_event_has_a_name_an_id_and_its_lines() -> None:
    assert event_bytes("view", "<p>\n</p>", "7") == b"event: view\nid: 7\ndata: <p>\ndata: </p>\n\n"
    assert event_bytes("end", "signed-out") == b"event: end\ndata: signed-out\n\n"


def clock() -> Instant:
    return Instant(0, 0)


async def permitted() -> bool:
    return True


def a_context() -> WebContext:
    index = ClusterIndex(clock)
    index.complete()
    return WebContext(index, KnownUsers(index, {}), Settings(), clock, Streams(clock))


def a_caller() -> Caller:
    client = cast("KubeClient", None)
    return Caller(User("sam", ()), client, None, "sam", lambda _: permitted(), lambda: ())


def items_of(response: Response) -> AsyncGenerator[bytes, None]:
    return cast("AsyncGenerator[bytes, None]", cast("StreamingResponse", response).body_iterator)


def test_a_stream_keeps_its_view_until_it_ends() -> None:
    make, calls = counting(a_rendering(a="1"))

    async def run() -> None:
        context = a_context()
        request = Request({"type": "http", "app": Starlette(), "headers": []})
        items = items_of(stream(request, context, a_caller(), View("view", make, permitted)))
        at = (context.index.version, 0)
        assert [await anext(items), (await anext(items)).partition(b"\n")[0]] == [b"retry: 2000\n\n", b"event: view"]
        renderings_of(request).event("view", at, make, "")
        assert len(calls) == 1
        await items.aclose()
        renderings_of(request).event("view", at, make, "")
        assert len(calls) == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ForbiddenError(403, "no logs for you"), [b"event: end\ndata: forbidden\n\n"]),
        (ForbiddenError(401, "who?"), [b"event: end\ndata: signed-out\n\n"]),
        (NotFoundError(404, "gone"), []),
        (UnreachableError("away"), []),
    ],
)
def test_a_stream_that_the_api_server_refuses_ends_in_order(error: KubeError, end: list[bytes]) -> None:
    async def refused() -> AsyncIterator[bytes]:
        yield b"first"
        raise error

    async def run() -> list[bytes]:
        return [each async for each in items_of(respond(a_context(), a_caller(), permitted, refused()))]

    assert asyncio.run(run()) == [b"first", *end]


def test_a_list_of_all_organizations_connects_again_once_one_of_them_is_gone() -> None:
    async def run(known: list[str], held: set[str], visible: set[str]) -> bool:
        async def review(question: Question) -> bool:
            return question.namespace in visible

        caller = replace(a_caller(), review=review, namespaces=lambda: known)
        return await permitted_to(caller, JOBS, frozenset(held))

    assert asyncio.run(run(["a", "b"], {"a", "b"}, {"a", "b"}))
    assert not asyncio.run(run(["a", "b"], {"a", "b"}, {"a"})), "a right was withdrawn"
    assert not asyncio.run(run(["a"], {"b"}, {"a", "b"})), "the only one is gone"
    with pytest.raises(StreamEndedError) as ended:
        asyncio.run(run(["a"], {"a", "b"}, {"a", "b"}))
    assert ended.value.end is StreamEnd.RELOAD
