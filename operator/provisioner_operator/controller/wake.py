"""The bell that calls the decision loop, and since when it has been ringing: a loop that does not heed it is stuck."""

import asyncio

from provisioner_operator.controller import clock


class Wake:
    """Rung when there may be something to decide; rings until it is cleared."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._rung_at = 0.0

    def set(self) -> None:
        """Ring, if it does not ring already."""
        if not self._event.is_set():
            self._rung_at = clock.read().monotonic
            self._event.set()

    def clear(self) -> None:
        """Heeded."""
        self._event.clear()

    async def wait(self) -> None:
        """Return as soon as it rings."""
        await self._event.wait()

    def waiting(self, now: float) -> float:
        """How long it has been ringing, on the monotonic clock; 0 if it does not."""
        return now - self._rung_at if self._event.is_set() else 0.0
