"""Run coroutines in virtual time: a pause costs nothing, because the loop's clock jumps to the next timer.

For code that takes its time from the running loop (`loop.time`, `asyncio.sleep`, `asyncio.timeout`). Work for a thread runs
at once, in the loop's own thread, so that the clock cannot jump while it is done.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from typing_extensions import override

T = TypeVar("T")
Parameters = ParamSpec("Parameters")

EPOCH = 1_000.0
"""The loop's time at the start; not 0, which code may treat specially."""
LONGEST_WAIT_SECONDS = 10.0
"""Real seconds to wait for input or output while no timer is set; then the loop is considered stuck."""
_RESOLUTION = 1e-9
"""Seconds."""
MOST_ROUNDS = 20_000
"""Maximum rounds of the loop without progress of time; then tasks are considered to wake each other forever."""


class StuckError(AssertionError):
    """Deadlock or livelock: all tasks wait for something that will never happen, or none ever waits."""


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine to its end and return its result. Raises StuckError instead of hanging."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_time(test: Callable[Parameters, Coroutine[Any, Any, None]]) -> Callable[Parameters, None]:
    """Turn an asynchronous test into one that runs in virtual time."""

    @wraps(test)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        run_in_virtual_time(test(*args, **kwargs))

    return run


def now() -> float:
    """Return the seconds since the loop's start."""
    return round(asyncio.get_running_loop().time() - EPOCH, 9)


def work(seconds: float) -> None:
    """Let time pass while the present task holds the loop, as a computation does."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.jump(seconds)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is work, and jumps when there is none."""

    def __init__(self) -> None:
        self._now = EPOCH
        super().__init__(_JumpingSelector(self.jump))

    @override
    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock on."""
        # Rounded, so that a sum of pauses is the very number that a test expects; but time always passes, or a task that
        # waits for a moment between two rounded ones would wait forever.
        self._now = max(round(self._now + seconds, 9), round(self._now + _RESOLUTION, 9))

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
        self._rounds = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            raise StuckError("tasks wake each other for ever, and no time passes")
        if ready or timeout == 0:
            return ready
        self._rounds = 0
        if timeout is not None:
            self._jump(timeout)
            return ready
        if ready := super().select(LONGEST_WAIT_SECONDS):
            return ready
        raise StuckError("every task waits, and no timer is set")
