"""Run the one loop: wait for a change or for the next deadline, decide, pass decisions to the writers. It never polls.

Only the leader decides; while another controller leads, the reconcilers gather what there will be to decide.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers

_logger = logging.getLogger(__name__)

_STUCK_SECONDS = 60.0
"""Delay of a round after which the loop counts as stuck: a round over the largest caches takes a few seconds."""


class DecisionLoop:
    """Turns what the reconcilers decide into work for the writers."""

    def __init__(
        self,
        reconcilers: Reconcilers,
        observer: Observer,
        writer: Writer,
        metrics: Metrics,
        term: Callable[[], int | None],
        restored: Callable[[], float | None],
    ) -> None:
        self._reconcilers = reconcilers
        self._observer = observer
        self._writer = writer
        self._metrics = metrics
        self._term = term
        """The current term of leadership; None unless this process leads."""
        self._restored = restored
        """The wall-clock time of the last restore of etcd, as the Lease records it."""
        self._last_term: tuple[int, float | None] | None = None

    async def run(self) -> None:
        """Decide until canceled."""
        while True:
            await self._rest()
            # Before deciding: what is observed meanwhile wakes the loop again.
            self._observer.wake.clear()
            if (number := self._term()) is None:
                continue
            # A restore that another controller noticed later than this one was started is a reason for the same doubts.
            if (term := (number, self._restored())) != self._last_term:
                self._reconcilers.leadership_gained(clock.read(), term[1])
                self._observer.leadership_gained()
                self._last_term = term
            began = time.perf_counter()
            try:
                self._decide()
            except Exception:
                # That one object is passed over; the next round goes on with the rest.
                _logger.exception("An object made the controller stumble")
                self._observer.wake.set()
            self._metrics.loop_latency.observe(time.perf_counter() - began)

    def _decide(self) -> None:
        reconcilers = self._reconcilers
        for decision in reconcilers.jobs.decide(clock.read()):
            self._writer.submit(decision)
        # After the jobs, so that a pool sees the queue as it is once all that can be assigned is.
        for pool_decision in reconcilers.pools.decide(clock.read()):
            self._writer.submit(pool_decision)
        for workspace_decision in reconcilers.workspaces.decide(clock.read()):
            self._writer.submit(workspace_decision)
        # After all that may have changed the fleet.
        for supply_decision in reconcilers.supplies.decide(clock.read()):
            self._writer.submit(supply_decision)

    @property
    def is_stuck(self) -> bool:
        """Whether a round has been due for so long that none will come."""
        now = clock.read().monotonic
        due = self._next_wake()
        late = max(self._observer.wake.waiting(now), 0.0 if due is None else now - due)
        return late > _STUCK_SECONDS

    def _next_wake(self) -> float | None:
        return None if self._term() is None else self._reconcilers.next_wake()

    async def _rest(self) -> None:
        due = self._next_wake()
        timeout = None if due is None else max(due - clock.read().monotonic, 0)
        try:
            async with asyncio.timeout(timeout):
                await self._observer.wake.wait()
        except TimeoutError:
            pass  # a deadline has passed
