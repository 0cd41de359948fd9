"""The time in which a process and its descendants have nothing to do.

On a busy machine, a process that waits for a CPU makes no progress, but that says nothing about the process. Linux counts
this time; elsewhere it passes for idle.
"""

import time
from pathlib import Path

import psutil

_PROC = Path("/proc")


class Work:
    """Adds up the idle time from look to look."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen = time.monotonic()
        self._busy = _busy(pid)
        self.idle = 0.0
        """Seconds so far."""

    def look(self) -> None:
        """Add what is idle of the time since the last look."""
        now, busy = time.monotonic(), _busy(self._pid)
        # A process that ended since the last look is forgotten, with the time that it was busy after that.
        gained = sum(max(0.0, seconds - self._busy.get(process, 0.0)) for process, seconds in busy.items())
        self.idle += max(0.0, now - self._seen - gained)
        self._seen, self._busy = now, busy


def _busy(pid: int) -> dict[int, float]:
    """Seconds in which each process of a tree ran, or waited for a CPU."""
    try:
        root = psutil.Process(pid)
        return {each.pid: _busy_alone(each) for each in [root, *root.children(recursive=True)]}
    except psutil.Error:
        return {}


def _busy_alone(process: psutil.Process) -> float:
    if not (_PROC / "self" / "schedstat").exists():
        return sum(process.cpu_times()[:2])
    total = 0.0
    for thread in (_PROC / str(process.pid) / "task").glob("*/schedstat"):
        try:
            running, waiting, _ = thread.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            continue  # it has just ended
        total += (int(running) + int(waiting)) / 1e9
    return total
