"""Decide how long to wait after a write that the API server refused: about a second at first, twice as long each time.

Used wherever a refused write is tried again, so that every kind of object is treated alike. Times are seconds of a
monotonic clock, passed in.
"""

from dataclasses import dataclass

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
"""A refusal lasts until somebody changes something; five minutes is how long kubelet makes people wait, too."""
LONGEST_TRANSIENT_PAUSE_SECONDS = 5.0
"""What passes without anybody's help (an API server that lost etcd) is tried again soon, however long it lasted."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's reason for not carrying out a write, and its own words."""

    reason: str
    message: str
    transient: bool = False
    """Whether it is expected to pass by itself: nobody needs to be alerted."""


@dataclass(slots=True)
class Backoff:
    """The refusals in a row of one thing, and the moment before which it is not tried again."""

    kind: str = ""
    """Which kind of write was refused."""
    refusal: Refusal | None = None
    failures: int = 0
    until: float = float("-inf")

    def refused(self, kind: str, refusal: Refusal, now: float) -> bool:
        """Wait longer than the last time; return whether this is news: another kind of write, or another reason."""
        is_news = self.refusal is None or (self.kind, self.refusal.reason) != (kind, refusal.reason)
        self.kind, self.refusal = kind, refusal
        self.failures += 1
        self.until = now + pause_after(self.failures, transient=refusal.transient)
        return is_news

    def is_active(self, now: float) -> bool:
        """Whether it is too early to try again."""
        return now < self.until


def pause_after(failures: int, *, transient: bool = False) -> float:
    """Return how long to wait after so many refusals in a row."""
    longest = LONGEST_TRANSIENT_PAUSE_SECONDS if transient else LONGEST_PAUSE_SECONDS
    # The exponent is bounded first: two to the power of all refusals of a year is no float.
    return float(min(FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 16), longest))
