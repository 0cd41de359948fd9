"""The gate in front of the writes: admits as many at a time as the API server can take (`core.concurrency_limit`).

Passed by the writers and the recorder of Events, so that both share one limit.
"""

import asyncio
import logging
from collections import deque

from provisioner_operator.controller import clock
from provisioner_operator.core.concurrency_limit import ConcurrencyLimit
from provisioner_operator.kube.errors import BusyError

_logger = logging.getLogger(__name__)


class WriteGate:
    """Limits the number of requests that are under way, first come, first served."""

    def __init__(self, limit: int) -> None:
        self._limit = ConcurrencyLimit(limit)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait until one more request may be under way."""
        # Asked again after each wait: meanwhile a refusal may have lowered the limit.
        while (pause := self._limit.pause(clock.read().monotonic)) > 0 or self._inside >= self._limit.allowed:
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._inside += 1

    def leave(self) -> None:
        """Note that a request is no longer under way, and admit those for which there is room now."""
        self._inside -= 1
        # More than one, since the limit may have grown.
        room = self._limit.allowed - self._inside
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def answered(self) -> None:
        """Note that a request was processed."""
        self._limit.answered(clock.read().monotonic)

    def refused(self, error: BusyError, *, sent: float) -> None:
        """Note that the API server was too busy for a request that was sent at that time (monotonic)."""
        if self._limit.refused(sent, clock.read().monotonic, error.retry_after):
            _logger.warning("%s. At most %d writes at a time until it has capacity again", error, self._limit.allowed)
