"""An event loop in virtual time: whoever sleeps is woken at once, and the clock has moved on by as much."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from typing_extensions import override

Answer = TypeVar("Answer")


class StuckError(AssertionError):
    """Everybody waits for something that nobody will do."""


class _Selector(selectors.SelectSelector):
    """Waits for nothing: no time passes but that which the loop wants to pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("nothing will ever happen any more")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that only sleeps and waits for its own kind; no sockets, threads or processes."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    @override
    def time(self) -> float:
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to the end, however long that takes in its own time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
