"""The gate before the writers: lets as many through as the API server can take now (`core.pace`)."""

import asyncio
import logging
from collections import deque

from provisioner_operator.controller import clock
from provisioner_operator.core.concurrency_limit import ConcurrencyLimit
from provisioner_operator.kube.errors import BusyError

_logger = logging.getLogger(__name__)


class Admission:
    """Counts those that are inside."""

    def __init__(self, limit: int) -> None:
        self._pace = ConcurrencyLimit(limit)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Return once one more may be inside."""
        while (pause := self._pace.pause(clock.read().monotonic)) > 0 or self._inside >= self._pace.allowed:
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._inside += 1

    def leave(self) -> None:
        """One is out, and others may follow."""
        self._inside -= 1
        room = self._pace.allowed - self._inside
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def answered(self) -> None:
        """A request got through."""
        self._pace.answered(clock.read().monotonic)

    def refused(self, error: BusyError, *, sent: float) -> None:
        """A request that was sent at that time (monotonic) was refused for want of room."""
        if self._pace.refused(sent, clock.read().monotonic, error.retry_after):
            _logger.warning("%s. From now on at most %d writes at a time, until it has room", error, self._pace.allowed)
