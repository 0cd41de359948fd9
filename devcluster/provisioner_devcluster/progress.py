"""Telling a waiting human what is going on, line by line, on a terminal as well as in a CI log.

Long steps call `Progress`; short ones say nothing. Standard output stays free for results.
"""

from __future__ import annotations

import sys
import time

# Short enough that nobody takes the build for hung, long enough that a CI log stays readable.
INTERVAL = 10.0


def say(message: str) -> None:
    """Print one line for the human who waits."""
    print(f"provisioner-devcluster: {message}", file=sys.stderr, flush=True)  # noqa: T201  # this is the program's voice


class Progress:
    """Reports how long a step has taken, at most once per interval."""

    def __init__(self, step: str, interval: float = INTERVAL) -> None:
        self._step = step
        self._interval = interval
        self._start = time.monotonic()
        self._next = self._start + interval

    def tick(self, detail: str) -> None:
        """Say where the step stands, if it is time again."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval
            say(f"{self._step}: {readable(now - self._start)}, {detail}")

    def done(self, detail: str) -> None:
        """Say that the step ended, unless it was too short for anybody to notice."""
        elapsed = time.monotonic() - self._start
        if elapsed >= self._interval:
            say(f"{self._step}: done after {readable(elapsed)}, {detail}")


def readable(seconds: float) -> str:
    """Write a duration as people do: 9s, 1m05s.

    >>> readable(9.4), readable(65)
    ('9s', '1m05s')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
