"""Progress of long steps, printed line by line for terminals and CI logs.

Called by builds and downloads; short steps print nothing. Standard output stays free for results.
"""

from __future__ import annotations

import sys
import time

# Short enough that a build does not seem to hang, long enough to keep a CI log readable.
INTERVAL = 10.0


def say(message: str) -> None:
    """Print one line on standard error."""
    print(f"provisioner-devcluster: {message}", file=sys.stderr, flush=True)  # noqa: T201  # progress is for people to read


class Progress:
    """Report of the time that a step has taken, at most once per interval."""

    def __init__(self, step: str, interval: float = INTERVAL) -> None:
        self._step = step
        self._interval = interval
        self._start = time.monotonic()
        self._next = self._start + interval

    def tick(self, detail: str) -> None:
        """Print the state of the step, unless that was done less than an interval ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval
            say(f"{self._step}: {readable(now - self._start)}, {detail}")

    def done(self, detail: str) -> None:
        """Print the duration of the step, unless it was too short to matter."""
        elapsed = time.monotonic() - self._start
        if elapsed >= self._interval:
            say(f"{self._step}: done after {readable(elapsed)}, {detail}")


def readable(seconds: float) -> str:
    """Format a duration for people: 9s, 1m05s.

    >>> readable(9.4), readable(65)
    ('9s', '1m05s')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
