"""Back off exponentially from writes that the API server refused: 1 s at first, doubled with each further refusal.

Used wherever a refused write is retried, so that all kinds of objects are treated alike. Times are seconds of a monotonic
clock, passed in. `doubled` is the pause of everything else that is retried, too.
"""

from dataclasses import dataclass, replace
from math import log2

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
"""Longest pause: a refusal lasts until somebody changes something, and kubelet's backoff also ends at five minutes."""
LONGEST_TRANSIENT_PAUSE_SECONDS = 5.0
"""Longest pause after a transient refusal (an API server that lost etcd), which resolves without intervention."""
TRANSIENT_FAILURES = 60
"""Consecutive refusals, five minutes of them, after which one is not transient: a webhook that cannot be called, say."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refusal of a write: its reason, and the API server's message."""

    reason: str
    message: str
    transient: bool = False
    """Whether it is expected to resolve without intervention, so that nobody has to be alerted."""


@dataclass(slots=True)
class Backoff:
    """Consecutive refusals of one write, and the time of its next attempt."""

    kind: str = ""
    """Kind of the write that was refused last."""
    refusal: Refusal | None = None
    failures: int = 0
    until: float = float("-inf")

    def refused(self, kind: str, refusal: Refusal, now: float) -> bool:
        """Record a refusal and double the pause; return whether to report it: another kind of write, another reason, or no longer transient."""
        self.failures += 1
        shown = replace(refusal, transient=refusal.transient and self.failures < TRANSIENT_FAILURES)
        is_news = self.refusal is None or (self.kind, *_gist(self.refusal)) != (kind, *_gist(shown))
        self.kind, self.refusal = kind, shown
        self.until = now + pause_after(self.failures, transient=refusal.transient)
        return is_news

    def is_active(self, now: float) -> bool:
        """Return whether it is too early for the next attempt."""
        return now < self.until


def _gist(refusal: Refusal) -> tuple[str, bool]:
    return (refusal.reason, refusal.transient)


def pause_after(failures: int, *, transient: bool = False) -> float:
    """Return the seconds to wait after this many consecutive refusals."""
    longest = LONGEST_TRANSIENT_PAUSE_SECONDS if transient else LONGEST_PAUSE_SECONDS
    return doubled(FIRST_PAUSE_SECONDS, failures - 1, longest)


def doubled(first: float, times: int, longest: float) -> float:
    """Return the first pause doubled so many times, and at most the longest."""
    if times > log2(longest / first):
        return longest  # not computed: two to the power of a week's failures exceeds a float
    return first * 2.0**times
