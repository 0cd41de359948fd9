"""An event loop with virtual time: where nothing is ready, its clock jumps to the next timer instead of waiting.

`asyncio.sleep(300)` takes no time at all, and every run of a test sees the same times. A test that would wait for ever,
since neither a timer nor a socket can wake it, fails at once. What waits for a thread does not belong here.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from typing_extensions import override

Parameters = ParamSpec("Parameters")


_MOST_ROUNDS = 20_000
"""Rounds of the event loop without a pause after which a test fails instead of hanging."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls the sockets; where it would wait for a timer, time passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._rounds = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS:
            raise RuntimeError(f"The event loop spins: time has not passed {self.now} for {_MOST_ROUNDS} rounds")
        if not ready and timeout != 0:
            if timeout is None:
                raise RuntimeError("No timer and no socket can wake this event loop any more")
            # Rounded, so that a sum of pauses is the very number that a test expects.
            self.now = round(self.now + timeout, 9)
            self._rounds = 0
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time begins at 0 and passes only while everybody waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.now


def virtual_time(
    test: Callable[Parameters, Coroutine[Any, Any, None]],
) -> Callable[Parameters, None]:
    """Run an asynchronous test in virtual time. Tasks that it leaves running are canceled."""

    @wraps(test)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def now() -> float:
    """Return the seconds since the test began."""
    return asyncio.get_running_loop().time()
