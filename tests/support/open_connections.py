"""Connections that are still open when their event loop ends, which close only once they are collected as garbage.

Python warns of each then, in whichever test happens to run. So the test that left them fails. Called by `conftest.py`.
"""

import asyncio
from typing import Final

_open: Final[list[str]] = []


def watch_event_loops() -> None:
    """Note the open connections of each event loop that is closed from now on."""
    close = asyncio.SelectorEventLoop.close

    def close_and_note(loop: asyncio.BaseEventLoop) -> None:
        if not loop.is_closed():
            # The transports of sockets by their descriptors, as long as they exist. A closed one has no socket any more.
            transports = loop._transports.values()  # type: ignore[attr-defined] # noqa: SLF001 - there is no public way
            _open.extend(repr(each) for each in transports if each._sock is not None)  # noqa: SLF001
        close(loop)

    asyncio.SelectorEventLoop.close = close_and_note  # type: ignore[assignment, method-assign]


def open_connections() -> list[str]:
    """Return those that were noted since the last call."""
    noted = list(_open)
    _open.clear()
    return noted
