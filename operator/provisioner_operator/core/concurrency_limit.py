"""How many requests may be under way: at once half as many when the API server has too much to do, then slowly more again.

Additive increase, multiplicative decrease, as TCP does it, so that several clients come to share what there is. Times are
seconds of a monotonic clock. Asked by `controller.admission`.
"""

GROWTH_SECONDS = 1.0
"""One request more may be under way each time this has passed without a refusal."""
USUAL_PAUSE_SECONDS = 1.0
"""How long to wait after a refusal that does not say: what the API server says as a rule."""
LONGEST_PAUSE_SECONDS = 30.0
"""Whatever a refusal says, there is another try after this."""


class ConcurrencyLimit:
    """The pace of one client."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = limit
        self._shrunk_at = float("-inf")
        self._steady_since = float("-inf")
        self._resume_at = float("-inf")

    @property
    def allowed(self) -> int:
        """How many requests may be under way; at least one."""
        return self._allowed

    def pause(self, now: float) -> float:
        """For how long none may begin."""
        return max(self._resume_at - now, 0.0)

    def answered(self, now: float) -> None:
        """A request was not refused for want of room."""
        if self._allowed < self._limit and now - self._steady_since >= GROWTH_SECONDS:
            self._allowed += 1
            self._steady_since = now

    def refused(self, sent: float, now: float, retry_after: float | None) -> bool:
        """A request was refused for want of room; whether fewer may be under way because of it."""
        pause = USUAL_PAUSE_SECONDS if retry_after is None else min(max(retry_after, 0.0), LONGEST_PAUSE_SECONDS)
        self._resume_at = max(self._resume_at, now + pause)
        self._steady_since = self._resume_at
        if sent < self._shrunk_at:
            return False  # sent when more were allowed: that was answered already
        self._allowed = max(self._allowed // 2, 1)
        self._shrunk_at = now
        return True
