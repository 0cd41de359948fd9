"""A limit on requests of each user in a minute. Pure: the time is passed in; bounded: the longest idle are forgotten.

Requests are counted as in a bucket that leaks evenly (the generic cell rate algorithm), which keeps one number for each
user and has no edge at which twice as many pass.
"""

import math
from collections import OrderedDict

_MINUTE = 60.0
MOST_KEYS = 20_000
"""Users and addresses that are remembered: some 4 MB."""


class RateLimit:
    """Allows so many requests at once, and as many in each minute."""

    def __init__(self, per_minute: int) -> None:
        self._interval = _MINUTE / per_minute
        self._full: OrderedDict[str, float] = OrderedDict()
        """The time at which each bucket will have run empty."""

    def wait(self, key: str, now: float) -> int:
        """Count a request; returns 0, or the whole seconds to wait if it must be refused, which is then not counted."""
        empty_at = max(self._full.get(key, now), now)
        excess = empty_at + self._interval - (now + _MINUTE)
        # A hundredth of a request: sums of intervals are not exact.
        if excess > self._interval / 100:
            return math.ceil(excess)
        self._full[key] = empty_at + self._interval
        self._full.move_to_end(key)
        if len(self._full) > MOST_KEYS:
            self._full.popitem(last=False)
        return 0
