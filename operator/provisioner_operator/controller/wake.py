"""The signal that wakes the decision loop; it knows since when it is set, so that a stuck loop can be detected."""

import asyncio

from provisioner_operator.controller import clock


class Wake:
    """Set when there may be something to decide; stays set until the loop clears it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._set_at = 0.0

    def set(self) -> None:
        """Wake the loop. The time of the first call counts if it is set already."""
        if not self._event.is_set():
            self._set_at = clock.read().monotonic
            self._event.set()

    def clear(self) -> None:
        """Note that the loop is awake."""
        self._event.clear()

    async def wait(self) -> None:
        """Return as soon as it is set."""
        await self._event.wait()

    def waiting(self, now: float) -> float:
        """Return for how long it has been set, on the monotonic clock; 0 if it is not."""
        return now - self._set_at if self._event.is_set() else 0.0
