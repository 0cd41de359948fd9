"""Live streams (server-sent events, WebSockets): how many a user may have, how long they last, what a slow reader gets.

Used by the routes that stream:

    async for item in context.streams.guarded(caller, permitted, source): ...

A stream ends with the token, with the right, and with the server. It knows neither tokens nor the index.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import StrEnum
from http import HTTPStatus
from random import random
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.errors import ForbiddenError, KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.event_stream import EVENT_STREAM
from provisioner_operator.web.problems import Problem

MOST_PER_USER = 16
"""Streams of a user: one for each open page, and some to spare."""
MOST_IN_ALL = 2_000
"""Streams of all users: half of the connections of a server, which leaves the others to short requests."""
RECHECK_SECONDS = 25.0
"""With the time for which a "yes" is kept (30 s), a stream whose right is withdrawn ends within a minute."""
READER_SECONDS = 60.0
"""Time after which a reader that takes nothing is left: otherwise it would keep its place for ever."""

Permitted = Callable[[], Awaitable[bool]]
"""Asks whether the user still has the rights of the stream."""
_Item = TypeVar("_Item")


class StreamEnd(StrEnum):
    """Reasons for which the server ends a stream."""

    SIGNED_OUT = "signed-out"
    """The token has expired or is no longer accepted."""
    FORBIDDEN = "forbidden"
    """A right was withdrawn."""
    RELOAD = "reload"
    """A right that only parts of it need was withdrawn; a client may connect again at once for the others."""
    SHUTTING_DOWN = "shutting-down"
    """The server ends; a client may connect again at once."""


class StreamEndedError(Exception):
    """The server ends a stream before its source does."""

    def __init__(self, end: StreamEnd) -> None:
        super().__init__(str(end))
        self.end = end


class Streams:
    """The open streams of all users."""

    def __init__(
        self,
        clock: Callable[[], Instant],
        most_per_user: int = MOST_PER_USER,
        recheck_seconds: float = RECHECK_SECONDS,
        most_in_all: int = MOST_IN_ALL,
        elapsed_share: Callable[[], float] = random,
    ) -> None:
        """`elapsed_share` is the part of the time until its first check that counts as over when a stream begins."""
        self._clock = clock
        self._most_per_user = most_per_user
        self._recheck_seconds = recheck_seconds
        self._most_in_all = most_in_all
        self._elapsed_share = elapsed_share
        self._open: Counter[str] = Counter()
        self._closing = asyncio.Event()

    @property
    def count(self) -> int:
        """The number of open streams."""
        return self._open.total()

    def close(self) -> None:
        """End every stream, and those that are opened from now on."""
        self._closing.set()

    @contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """Occupy one of the caller's places for the time of a stream. Raises Problem: 429 if none is left, 503 if all are taken.

        Taken before the first byte of the answer, so that the refusal can have its own status.
        """
        user = caller.user.name
        if self._open[user] >= self._most_per_user:
            message = f"You have {self._most_per_user} live streams open: close a page or a client."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, message, headers={"Retry-After": "10"})
        if self.count >= self._most_in_all:
            message = "All live streams of this server are taken: try again later."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, message, headers={"Retry-After": "10"})
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]

    async def guarded(
        self, caller: Caller, permitted: Permitted, source: AsyncIterator[_Item]
    ) -> AsyncGenerator[_Item, None]:
        """Yield the items of a source, for as long as the user may have them. Raises StreamEndedError.

        A slow reader delays the source, which keeps nothing for it: a source waits for the next version of what it shows.
        """
        closing = asyncio.ensure_future(self._closing.wait())
        following = asyncio.ensure_future(_next(source))
        # After a restart all streams begin at once: their checks, each with a few reviews, must not come at once for ever.
        check_at = self._clock().monotonic + self._recheck_seconds * (1 - self._elapsed_share())
        try:
            while True:
                now = self._clock()
                if caller.expires is not None and caller.expires <= now.wall:
                    raise StreamEndedError(StreamEnd.SIGNED_OUT)
                if now.monotonic >= check_at:
                    await _check(permitted)
                    check_at = now.monotonic + self._recheck_seconds
                timeout = check_at - now.monotonic
                if caller.expires is not None:
                    timeout = min(timeout, caller.expires - now.wall)
                await _first_of(closing, following, timeout)
                if closing.done():
                    raise StreamEndedError(StreamEnd.SHUTTING_DOWN)
                if following.done():
                    try:
                        item = following.result()
                    except _SourceEndedError:
                        return
                    yield item
                    following = asyncio.ensure_future(_next(source))
        finally:
            await _cancel(closing)
            await _cancel(following)
            if isinstance(source, AsyncGenerator):
                await source.aclose()


async def _first_of(one: asyncio.Future[Any], other: asyncio.Future[Any], timeout: float) -> None:  # noqa: ASYNC109
    """Wait until one of two is done, or until the time is up."""
    await asyncio.wait((one, other), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


class LiveResponse(StreamingResponse):
    """Answers with a stream of events, which occupies one of the user's places for as long as it is sent.

    If no place is left, the Problem (429) is raised before the first byte.
    """

    def __init__(self, content: AsyncIterator[bytes], place: AbstractContextManager[None]) -> None:
        """Take the events and a place of `Streams.place`."""
        # Proxies would otherwise keep what little there is until there is more.
        super().__init__(content, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})
        self._place = place

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(READER_SECONDS):
                await send(message)

        with self._place, suppress(ClientDisconnect, TimeoutError):
            await super().__call__(scope, receive, send_in_time)


class _SourceEndedError(Exception):
    """The source has no more items. A future cannot hold StopAsyncIteration's sibling StopIteration, so its own type."""


async def _next(source: AsyncIterator[_Item]) -> _Item:
    try:
        return await anext(source)
    except StopAsyncIteration:
        raise _SourceEndedError from None


async def _check(permitted: Permitted) -> None:
    """Raise StreamEndedError if the right is gone; an API server that does not answer changes nothing."""
    try:
        if await permitted():
            return
    except ForbiddenError as error:
        signed_out = error.status == HTTPStatus.UNAUTHORIZED
        raise StreamEndedError(StreamEnd.SIGNED_OUT if signed_out else StreamEnd.FORBIDDEN) from error
    except KubeError:
        return
    raise StreamEndedError(StreamEnd.FORBIDDEN)
