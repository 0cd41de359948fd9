"""Limit the requests in flight: halve them when the API server is overloaded, then add one at a time.

Additive increase, multiplicative decrease, as in TCP, so that several clients come to share the capacity. Times are
seconds of a monotonic clock. Used by `controller.write_gate`.
"""

GROWTH_SECONDS = 1.0
"""Time without a refusal after which one more request may be in flight."""
USUAL_PAUSE_SECONDS = 1.0
"""Pause after a refusal without Retry-After: the API server's usual value."""
LONGEST_BUSY_PAUSE_SECONDS = 30.0
"""Longest pause, whatever a refusal asks for."""


class ConcurrencyLimit:
    """Limit of one client."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = limit
        self._shrunk_at = float("-inf")
        self._steady_since = float("-inf")
        self._resume_at = float("-inf")

    @property
    def allowed(self) -> int:
        """Number of requests that may be in flight; at least one."""
        return self._allowed

    def pause(self, now: float) -> float:
        """Return the seconds for which no request may begin."""
        return max(self._resume_at - now, 0.0)

    def answered(self, now: float) -> None:
        """Record a request that was not refused for overload."""
        if self._allowed < self._limit and now - self._steady_since >= GROWTH_SECONDS:
            self._allowed += 1
            self._steady_since = now

    def refused(self, sent: float, now: float, retry_after: float | None) -> bool:
        """Record a request that was refused for overload; return whether the limit fell because of it."""
        pause = USUAL_PAUSE_SECONDS if retry_after is None else min(max(retry_after, 0.0), LONGEST_BUSY_PAUSE_SECONDS)
        self._resume_at = max(self._resume_at, now + pause)
        self._steady_since = self._resume_at
        if sent < self._shrunk_at:
            return False  # sent when more were allowed: that was answered already
        self._allowed = max(self._allowed // 2, 1)
        self._shrunk_at = now
        return True
