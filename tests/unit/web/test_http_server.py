"""HTTP on one or several ports, until the server is stopped."""

import asyncio
from contextlib import closing
from socket import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send

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
