"""The one loop: wait for a change or for the next clock, decide, hand over to the writers. It never polls.

Only who leads decides; who stands by lets the mirror gather what there will be to decide.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.reconcilers.jobs import Mirror
from provisioner_operator.core.reconcilers.pools import PoolMirror
from provisioner_operator.core.reconcilers.workspaces import WorkspaceMirror

_logger = logging.getLogger(__name__)

_STUCK_SECONDS = 60.0
"""A loop that is so late comes round no more: a round over the largest of mirrors takes a few seconds."""


class DecisionLoop:
    """Turns what the mirrors of jobs, pools and workspaces know into work for the writers."""

    def __init__(
        self,
        mirror: Mirror,
        pools: PoolMirror,
        workspaces: WorkspaceMirror,
        observer: Observer,
        writer: Writer,
        metrics: Metrics,
        leads: Callable[[], bool],
    ) -> None:
        self._mirror = mirror
        self._pools = pools
        self._workspaces = workspaces
        self._observer = observer
        self._writer = writer
        self._metrics = metrics
        self._leads = leads

    async def run(self) -> None:
        """Decide until canceled."""
        while True:
            await self._rest()
            self._observer.wake.clear()
            if not self._leads():
                continue
            began = time.perf_counter()
            try:
                for decision in self._mirror.decide(clock.read()):
                    self._writer.submit(decision)
                for pool_decision in self._pools.decide(clock.read()):
                    self._writer.submit(pool_decision)
                for workspace_decision in self._workspaces.decide(clock.read()):
                    self._writer.submit(workspace_decision)
            except Exception:
                # That one object is passed over; the next round goes on with the rest.
                _logger.exception("An object made the controller stumble")
                self._observer.wake.set()
            self._metrics.loop_latency.observe(time.perf_counter() - began)

    @property
    def is_stuck(self) -> bool:
        """Whether a round has been due for so long that none will come."""
        now = clock.read().monotonic
        due = self._next_wake()
        late = max(self._observer.wake.waiting(now), 0.0 if due is None else now - due)
        return late > _STUCK_SECONDS

    def _next_wake(self) -> float | None:
        if not self._leads():
            return None
        wakes = (self._mirror.next_wake(), self._pools.next_wake(), self._workspaces.next_wake())
        return min((wake for wake in wakes if wake is not None), default=None)

    async def _rest(self) -> None:
        due = self._next_wake()
        timeout = None if due is None else max(due - clock.read().monotonic, 0)
        try:
            async with asyncio.timeout(timeout):
                await self._observer.wake.wait()
        except TimeoutError:
            pass  # a clock ran out
