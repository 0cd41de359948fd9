"""HTTP on one or several ports, until the server is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from socket import socket

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from provisioner_operator.web import http_server
from provisioner_operator.web.http_server import HttpServer, listen


async def app(scope: Scope, _: Receive, send: Send) -> None:
    port = str(scope["server"][1]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(port))]})
    await send({"type": "http.response.body", "body": port})


def port_of(listener: socket) -> int:
    return int(listener.getsockname()[1])


def test_each_port_is_served_until_the_stop() -> None:
    stopped: list[str] = []

    async def run() -> list[tuple[str, str | None]]:
        with closing(listen("127.0.0.1", 0)) as one, closing(listen("", 0)) as other:
            server = HttpServer(app, lambda: stopped.append("streams"))
            ports = [port_of(one), port_of(other)]
            serving = asyncio.create_task(server.run_on(one, other))
            async with httpx.AsyncClient() as client:
                answers = [await client.get(f"http://127.0.0.1:{port}/") for port in ports]
            server.stop()
            await serving
            assert [answer.text for answer in answers] == [str(port) for port in ports]
            return [(answer.text, answer.headers.get("server")) for answer in answers]

    assert all(name is None for _, name in asyncio.run(run()))
    assert stopped == ["streams"]


def test_a_port_that_is_taken_is_an_error() -> None:
    with closing(listen("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port_of(taken))


def test_threat_22_each_server_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "MOST_CONNECTIONS", 3)

    async def run() -> None:
        async with serving(app) as page, serving(app) as metrics, httpx.AsyncClient() as client:
            silent = [await asyncio.open_connection("127.0.0.1", page) for _ in range(3)]
            assert (await client.get(f"http://127.0.0.1:{page}/")).status_code == 503
            assert (await client.get(f"http://127.0.0.1:{metrics}/")).status_code == 200
            for _, writer in silent:
                writer.close()

    asyncio.run(asyncio.wait_for(run(), 30))


async def reader(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, and answer."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
    if message["type"] == "http.request":
        await app(scope, receive, send)


@asynccontextmanager
async def serving(served: ASGIApp) -> AsyncIterator[int]:
    with closing(listen("127.0.0.1", 0)) as listener:
        server, port = HttpServer(served, lambda: None), port_of(listener)
        task = asyncio.create_task(server.run_on(listener))
        try:
            yield port
        finally:
            server.stop()
            await task


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"", 0),
        (b"GET / HTTP/1.1\r\nHost", 0),
        (b"\r\n", 0),
        (POST + b"token=", 0),
        (GET + POST + b"token=", 1),
        (POST + b"token=abcGET", 1),
    ],
    ids=["nothing", "half a head", "an empty line", "half a body", "half a second body", "half a second head"],
)
def test_threat_22_a_connection_without_a_request_is_closed(
    sent: bytes, answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(http_server, "IDLE_SECONDS", 1)

    async def run() -> None:
        async with serving(reader) as port:
            stream, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            received = bytearray()
            try:
                while part := await stream.read(4096):
                    received += part
            except ConnectionResetError:
                pass
            assert received.count(b"200 OK") == answers
            writer.close()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_threat_22_a_byte_now_and_then_gets_no_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0.3)

    async def run() -> None:
        async with serving(reader) as port:
            stream, writer = await asyncio.open_connection("127.0.0.1", port)
            closed = asyncio.ensure_future(stream.read())
            while not closed.done():
                writer.write(b"x")
                await asyncio.wait((closed,), timeout=0.05)
            await asyncio.gather(closed, return_exceptions=True)
            writer.close()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_request_that_is_there_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0.05)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await app(scope, receive, send)

    async def run() -> None:
        async with serving(slow) as port, httpx.AsyncClient() as client:
            for _ in range(2):
                assert (await client.get(f"http://127.0.0.1:{port}/", timeout=60)).text == str(port)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_threat_22_a_connection_that_takes_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "UNSENT_SECONDS", 0.3)

    async def run() -> None:
        lost = asyncio.Event()

        async def flood(_: Scope, receive: Receive, send: Send) -> None:
            await receive()
            gone = asyncio.ensure_future(receive())
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not gone.done():
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
                await asyncio.sleep(0)
            lost.set()

        async with serving(flood) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.write(GET)
            await lost.wait()
            writer.close()

    asyncio.run(asyncio.wait_for(run(), 30))
