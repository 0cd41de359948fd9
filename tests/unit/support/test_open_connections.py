"""A connection that outlives its event loop is noted when the loop is closed."""

import asyncio
import gc
import socket

import pytest

from support.open_connections import open_connections


async def connected(ours: socket.socket) -> asyncio.Transport:
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    return transport


def test_a_connection_that_nobody_closed_is_noted_once() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        transport = asyncio.run(connected(ours))
        (noted,) = open_connections()
        assert "_SelectorSocketTransport" in noted
        assert open_connections() == []
        # The warnings that another test would meet otherwise.
        del transport, ours
        with pytest.warns(ResourceWarning, match="unclosed"):
            gc.collect()


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_connection_that_was_closed_or_aborted_is_none(end: str) -> None:
    async def run(ours: socket.socket) -> None:
        getattr(await connected(ours), end)()

    ours, theirs = socket.socketpair()
    with theirs:
        asyncio.run(run(ours))
    assert open_connections() == []
