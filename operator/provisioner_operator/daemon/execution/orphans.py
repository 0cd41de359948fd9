"""End what a guard left running that was itself killed. Used by `command`; `service` lets the daemon adopt it first.

The kernel kills the command together with its guard, but not what the command has started. On Linux that becomes the
daemon's child, as the daemon adopts orphans. All its other children are guards, so it keeps a list of those and ends the
rest.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator

from provisioner_operator.daemon.execution.guard import adopts_orphans, children, may_kill

PAUSE_SECONDS = 0.01
"""The pause between two looks at the children: what an orphan leaves becomes a child in turn."""


class Guards:
    """The guards of this process, among its children."""

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._starting = 0

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Start a guard: until it is added, no child can be told from an orphan."""
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def add(self, pid: int) -> None:
        """Record a guard that was started."""
        self._pids.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a guard that has ended and was reaped."""
        self._pids.discard(pid)

    async def end_orphans(self) -> None:
        """Kill every child that is no guard, and wait until all are gone."""
        if not adopts_orphans():
            return
        while self._starting or (orphans := [pid for pid in children() if pid not in self._pids]):
            for pid in [] if self._starting else filter(may_kill, orphans):
                _kill(pid)
            await asyncio.sleep(PAUSE_SECONDS)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # nobody else reaps it; one that has not ended yet is seen again


GUARDS = Guards()
"""Those of the whole process, whose children they are."""
