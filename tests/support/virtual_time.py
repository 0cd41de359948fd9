"""Run coroutines in virtual time: a pause costs nothing, because the loop's clock jumps to whatever is due next.

For code that takes its time from the running loop (`loop.time`, `asyncio.sleep`, `asyncio.timeout`). Work for a thread runs
at once, in the loop's own thread, so that the clock cannot jump while it is done.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")

EPOCH = 1_000.0
"""The loop's time at the start; not 0, for which code may have a meaning of its own."""
LONGEST_WAIT_SECONDS = 10.0
"""The real time to wait for input or output where no timer is set; after that, nothing will ever happen."""


class StuckError(AssertionError):
    """All tasks wait for something that nobody will do."""


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine to its end and return its result. Raises StuckError instead of hanging."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is work, and jumps when there is none."""

    def __init__(self) -> None:
        self._now = EPOCH
        super().__init__(_JumpingSelector(self._jump))

    @override
    def time(self) -> float:
        return self._now

    def _jump(self, seconds: float) -> None:
        self._now += seconds

    @override
    def run_in_executor(  # type: ignore[override] # whatever the executor: there is no thread
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as a thread would
            future.set_exception(error)
        return future


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            self._jump(timeout)
            return ready
        if ready := super().select(LONGEST_WAIT_SECONDS):
            return ready
        raise StuckError("every task waits, and no timer is set")
