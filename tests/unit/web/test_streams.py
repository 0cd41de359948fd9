"""A stream ends with the right, the token and the server; a user has so many; a slow reader costs little."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.types import Message

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from provisioner_operator.web.access.answer_cache import YES_SECONDS
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.http_server import MOST_CONNECTIONS
from provisioner_operator.web.problems import Problem
from provisioner_operator.web.streams import (
    MOST_IN_ALL,
    RECHECK_SECONDS,
    LiveResponse,
    StreamEnd,
    StreamEndedError,
    Streams,
)
from support.virtual_time import now, virtual_time


def clock() -> Instant:
    return Instant(1_000_000 + now(), now())


def the_streams(**limits: int) -> Streams:
    return Streams(clock, elapsed_share=lambda: 0.0, **limits)


async def never(_: Question) -> bool:
    raise AssertionError


async def always() -> bool:
    return True


def a_caller(name: str = "ada", expires: float | None = None) -> Caller:
    client = KubeClient.__new__(KubeClient)  # sends nothing
    return Caller(User(name), client, expires, "digest", never, list)


async def numbers(pause: float = 1.0, most: int = 10_000) -> AsyncIterator[int]:
    for number in range(most):
        yield number
        await asyncio.sleep(pause)


async def silence() -> AsyncIterator[int]:
    await asyncio.Event().wait()
    yield 0


async def end_of(stream: AsyncIterator[int]) -> tuple[StreamEnd, float]:
    """Read a stream to its end, and return why and when it ended."""
    with pytest.raises(StreamEndedError) as error:
        async for _ in stream:
            pass
    return error.value.end, now()


@virtual_time
async def test_a_stream_yields_what_its_source_does_and_ends_with_it() -> None:
    streams = the_streams()

    assert [item async for item in streams.guarded(a_caller(), always, numbers(most=3))] == [0, 1, 2]


@pytest.mark.parametrize("source", [silence, numbers, lambda: numbers(pause=40)], ids=["idle", "busy", "slow"])
def test_threat_11_a_stream_ends_within_a_minute_of_its_right(source: Callable[[], AsyncIterator[int]]) -> None:
    @virtual_time
    async def run() -> None:
        withdrawn = 10.0

        async def permitted() -> bool:
            # As the cache does: a "yes" from just before is kept.
            return now() < withdrawn + YES_SECONDS

        end, at = await end_of(the_streams().guarded(a_caller(), permitted, source()))
        assert end is StreamEnd.FORBIDDEN
        assert at <= withdrawn + 60

    run()
    assert YES_SECONDS + RECHECK_SECONDS < 60


@pytest.mark.parametrize("source", [silence, numbers, lambda: numbers(pause=40)], ids=["idle", "busy", "slow"])
def test_threat_12_a_stream_ends_with_its_token(source: Callable[[], AsyncIterator[int]]) -> None:
    @virtual_time
    async def run() -> None:
        caller = a_caller(expires=1_000_000 + 100)

        assert await end_of(the_streams().guarded(caller, always, source())) == (StreamEnd.SIGNED_OUT, 100.0)

    run()


@virtual_time
async def test_threat_12_with_an_expired_token_no_stream_begins() -> None:
    caller = a_caller(expires=1_000_000 - 1)

    assert await end_of(the_streams().guarded(caller, always, numbers())) == (StreamEnd.SIGNED_OUT, 0.0)


@pytest.mark.parametrize(
    ("error", "end"),
    [(ForbiddenError(401, "expired"), StreamEnd.SIGNED_OUT), (ForbiddenError(403, "no"), StreamEnd.FORBIDDEN)],
)
def test_a_check_that_is_refused_ends_the_stream(error: ForbiddenError, end: StreamEnd) -> None:
    @virtual_time
    async def run() -> None:
        async def permitted() -> bool:
            raise error

        assert await end_of(the_streams().guarded(a_caller(), permitted, silence())) == (
            end,
            RECHECK_SECONDS,
        )

    run()


@virtual_time
async def test_a_stream_outlives_an_outage_of_the_api_server_and_not_its_right() -> None:
    async def permitted() -> bool:
        if now() < 90:
            raise UnreachableError("away")
        return False

    assert await end_of(the_streams().guarded(a_caller(), permitted, silence())) == (
        StreamEnd.FORBIDDEN,
        100.0,
    )


@virtual_time
async def test_streams_that_begin_at_once_are_not_checked_at_once() -> None:
    checked: list[float] = []

    async def permitted() -> bool:
        checked.append(now())
        return True

    shares = iter([0.0, 0.25, 0.5, 0.75])
    streams = Streams(clock, elapsed_share=lambda: next(shares))
    reading = [asyncio.create_task(_read(streams.guarded(a_caller(), permitted, silence()))) for _ in range(4)]
    await asyncio.sleep(2 * RECHECK_SECONDS - 1)
    for each in reading:
        each.cancel()

    assert sorted(checked) == [RECHECK_SECONDS * part / 4 for part in range(1, 8)]


@virtual_time
async def test_streams_end_with_the_server() -> None:
    streams = the_streams()
    reading = asyncio.create_task(end_of(streams.guarded(a_caller(), always, silence())))
    await asyncio.sleep(5)

    streams.close()

    assert await reading == (StreamEnd.SHUTTING_DOWN, 5.0)
    assert await end_of(streams.guarded(a_caller(), always, silence())) == (StreamEnd.SHUTTING_DOWN, 5.0)


@virtual_time
async def test_a_reader_that_leaves_ends_the_source() -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.set()

    reading = asyncio.create_task(_read(the_streams().guarded(a_caller(), always, source())))
    await asyncio.sleep(1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert ended.is_set()


async def _read(stream: AsyncIterator[int]) -> None:
    async for _ in stream:
        pass


@virtual_time
async def test_an_error_of_the_source_is_the_streams() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise UnreachableError("away")

    with pytest.raises(UnreachableError):
        await _read(the_streams().guarded(a_caller(), always, source()))


@virtual_time
async def test_threat_22_a_user_has_so_many_streams_and_others_are_unaffected() -> None:
    streams = the_streams(most_per_user=2)
    with streams.place(a_caller("ada")), streams.place(a_caller("ada")):
        assert streams.count == 2
        with pytest.raises(Problem) as error, streams.place(a_caller("ada")):
            pass
        assert error.value.status == 429
        assert error.value.headers["Retry-After"]
        with streams.place(a_caller("sam")):
            assert streams.count == 3

    assert streams.count == 0
    with streams.place(a_caller("ada")):
        assert streams.count == 1


@virtual_time
async def test_threat_22_all_users_together_leave_connections_to_short_requests() -> None:
    streams = the_streams(most_in_all=2)
    with streams.place(a_caller("ada")), streams.place(a_caller("sam")):
        with pytest.raises(Problem) as error, streams.place(a_caller("nia")):
            pass
        assert error.value.status == 503
        assert error.value.headers["Retry-After"]
    with streams.place(a_caller("nia")):
        assert streams.count == 1
    assert MOST_IN_ALL < MOST_CONNECTIONS


@virtual_time
async def test_threat_22_a_reader_that_takes_nothing_is_left_after_a_minute() -> None:
    streams, made = the_streams(), 0

    async def content() -> AsyncIterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"data: 1\n\n"
            await asyncio.sleep(1)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await LiveResponse(content(), streams.place(a_caller()))({"type": "http"}, receive, send)

    assert now() == 60
    assert (streams.count, made) == (0, 1)


@virtual_time
async def test_threat_22_a_place_is_given_back_even_if_the_reader_leaves_before_the_first_byte() -> None:
    streams = the_streams(most_per_user=1)

    async def content() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def lost(_: Message) -> None:
        raise BrokenPipeError

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    await LiveResponse(content(), streams.place(a_caller()))(scope, receive, lost)
    assert streams.count == 0

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with streams.place(a_caller()), pytest.raises(Problem) as refused:
        await LiveResponse(content(), streams.place(a_caller()))({"type": "http"}, receive, send)
    assert (refused.value.status, sent) == (429, [])


@virtual_time
async def test_threat_22_a_source_waits_for_a_slow_reader() -> None:
    made: list[int] = []

    async def source() -> AsyncIterator[int]:
        for number in range(100):
            made.append(number)
            yield number
            await asyncio.sleep(0)

    stream = the_streams().guarded(a_caller(), always, source())
    await anext(stream)
    await asyncio.sleep(1000)

    assert len(made) <= 2
    await _close(stream)


async def _close(stream: AsyncIterator[int]) -> None:
    close: Callable[[], Awaitable[None]] = stream.aclose  # type: ignore[attr-defined]
    await close()
