"""Record a restore of etcd before the process that noticed it ends: the next one knows only what the backup knows.

Used by the operator, which starts anew after a restore, and perhaps for another reason before it has noticed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from provisioner_operator.controller.elector import Elector
from provisioner_operator.kube.errors import RestoredError

_logger = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""The time that a process which ends has to find out whether etcd was restored: two tries of each watch."""
_LOOK_SECONDS = 0.1


class RestoreRecord:
    """Has a restore recorded once. Without a Lease there is no place for it."""

    def __init__(self, elector: Elector | None, is_unsure: Callable[[], bool]) -> None:
        """`is_unsure` tells whether a watch broke, and has not shown since whether etcd is another one."""
        self._elector = elector
        self._is_unsure = is_unsure
        self._recording = asyncio.Lock()
        self._is_recorded = elector is None

    async def follow(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, and record the restore that ends it. Raises RestoredError after that."""
        try:
            await work()
        except RestoredError:
            # The holder keeps the Lease meanwhile: whoever leads next reads this.
            async with self._recording:
                if not self._is_recorded and self._elector is not None:
                    await self._elector.record_restore()
                    self._is_recorded = True
            raise

    async def settled(self) -> None:
        """Wait for a while until each watch that broke has shown whether etcd was restored, and that is recorded.

        A restarted API server knows no definitions for a moment. That ends Kopf's watch, and with it this process.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while not self._is_recorded and self._is_unsure():  # noqa: ASYNC110 - once in the life of a process
                    await asyncio.sleep(_LOOK_SECONDS)
                return
        _logger.warning("Ends without knowing whether etcd was restored: the API server did not answer in time")
