"""The ends of live streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, UnreachableError
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page.live import permitted_to, respond
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import StreamEnd, StreamEndedError, Streams
from support.coder.api_world import KnownUsers

if TYPE_CHECKING:
    from starlette.responses import StreamingResponse

    from provisioner_operator.kube.client import KubeClient


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
