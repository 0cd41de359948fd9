"""Tell an outage of the API server from a single request that fails: it lasts from the last answer to the next one.

Heartbeats that are missed meanwhile do not count. Used by the controller's observer, which learns of every answer.
"""


class Outage:
    """The current outage, if there is one. Times are of the monotonic clock."""

    __slots__ = ("_answered_at", "_is_on")

    def __init__(self) -> None:
        self._is_on = False
        self._answered_at = float("-inf")
        """Time of the last answer or watch event before the outage."""

    @property
    def is_on(self) -> bool:
        """Whether the last request got no answer."""
        return self._is_on

    def failed(self) -> bool:
        """Note a request without an answer; return whether an outage begins with it."""
        begins, self._is_on = not self._is_on, True
        return begins

    def observed(self, now: float) -> None:
        """Note a watch event, which does not end an outage: it may have been sent before."""
        if not self._is_on:
            self._answered_at = now

    def answered(self, now: float) -> float | None:
        """Note an answer; return the beginning of the outage that it ends, None if there was none."""
        since = self._answered_at if self._is_on else None
        self._is_on, self._answered_at = False, now
        return since
