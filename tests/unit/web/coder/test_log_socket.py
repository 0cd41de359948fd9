"""A WebSocket whose reader takes nothing is left, as an event stream is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.views.log_lines import Line
from provisioner_operator.web.coder import log_socket
from provisioner_operator.web.coder.convert.logs import provisioner_logs
from provisioner_operator.web.logs.lines import numbered
from support.coder.api_world import TOKEN, VERSION, ApiWorld, uid
from support.virtual_time import now, virtual_time

(LINE,) = provisioner_logs(numbered([Line("a", "2027-01-15T08:00:00Z")]))


async def endless(*_: Any) -> AsyncIterator[Any]:
    while True:
        yield LINE
        await asyncio.sleep(1)


async def one(*_: Any) -> AsyncIterator[Any]:
    yield LINE


@pytest.mark.parametrize(("lines", "stuck"), [(endless, "websocket.send"), (one, "websocket.close")])
def test_threat_22_a_socket_that_takes_nothing_is_left_after_a_minute(
    lines: Any, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_socket, "log_to_the_end", lines)
    world = ApiWorld()
    sent: list[str] = []
    received: asyncio.Queue[Message] = asyncio.Queue()
    received.put_nowait({"type": "websocket.connect"})

    async def send(message: Message) -> None:
        sent.append(message["type"])
        if message["type"] == stuck:
            await asyncio.Event().wait()

    scope = {
        "type": "websocket",
        "path": f"/api/v2/templateversions/{uid(JOBS, f'{VERSION}-import')}/logs",
        "query_string": b"follow",
        "headers": [(b"coder-session-token", TOKEN.encode())],
        "extensions": {"websocket.http.response": {}},
    }

    @virtual_time
    async def run() -> None:
        await world.app(scope, received.get, send)

        assert now() == 60
        assert sent[0] == "websocket.accept"
        assert sent[-1] == stuck
        assert world.app.state.context.streams.count == 0

    run()
