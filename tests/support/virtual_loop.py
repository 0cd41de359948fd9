"""Event loop in virtual time: a sleeping task is woken at once, and the clock advances by its sleep."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from typing_extensions import override

Answer = TypeVar("Answer")


class StuckError(AssertionError):
    """Deadlock: all tasks wait for something that will never happen."""


class _Selector(selectors.SelectSelector):
    """Selector that never waits; it advances the clock by the timeout instead."""

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
    """Loop for tasks that only sleep and wait for each other, without sockets, threads or processes."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    @override
    def time(self) -> float:
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run the coroutine to its end, however much virtual time that takes."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
