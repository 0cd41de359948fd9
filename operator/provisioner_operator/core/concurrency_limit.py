"""The number of requests that may be under way: halved when the API server is too busy, then slowly raised again.

Additive increase and multiplicative decrease, as in TCP, make several clients share the capacity. Times are seconds of a
monotonic clock. Used by `controller.write_gate`.
"""

GROWTH_SECONDS = 1.0
"""The limit grows by one each time this has passed without a refusal."""
USUAL_PAUSE_SECONDS = 1.0
"""The pause after a refusal without Retry-After: the value that the API server usually sends."""
LONGEST_PAUSE_SECONDS = 30.0
"""The longest pause that is honored, whatever Retry-After says."""


class ConcurrencyLimit:
    """The limit of one client's requests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = limit
        self._shrunk_at = float("-inf")
        self._steady_since = float("-inf")
        self._resume_at = float("-inf")

    @property
    def allowed(self) -> int:
        """The number of requests that may be under way; at least one."""
        return self._allowed

    def pause(self, now: float) -> float:
        """Return for how many seconds no request may begin."""
        return max(self._resume_at - now, 0.0)

    def answered(self, now: float) -> None:
        """Note that a request was processed."""
        if self._allowed < self._limit and now - self._steady_since >= GROWTH_SECONDS:
            self._allowed += 1
            self._steady_since = now

    def refused(self, sent: float, now: float, retry_after: float | None) -> bool:
        """Note that the API server was too busy for a request; returns whether the limit was lowered because of it."""
        pause = USUAL_PAUSE_SECONDS if retry_after is None else min(max(retry_after, 0.0), LONGEST_PAUSE_SECONDS)
        self._resume_at = max(self._resume_at, now + pause)
        self._steady_since = self._resume_at
        if sent < self._shrunk_at:
            return False  # sent before the limit was lowered: one burst of refusals halves it once
        self._allowed = max(self._allowed // 2, 1)
        self._shrunk_at = now
        return True
