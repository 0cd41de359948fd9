"""The one loop: wait for a change or for the next clock, decide, hand over to the writers. It never polls."""

import asyncio
import logging
import time

from provisioner_operator.controller import clock
from provisioner_operator.controller.metrics import Metrics
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writer import Writer
from provisioner_operator.core.mirror import Mirror

_logger = logging.getLogger(__name__)


class DecisionLoop:
    """Turns what the mirror knows into work for the writers."""

    def __init__(self, mirror: Mirror, observer: Observer, writer: Writer, metrics: Metrics) -> None:
        self._mirror = mirror
        self._observer = observer
        self._writer = writer
        self._metrics = metrics

    async def run(self) -> None:
        """Decide until cancelled."""
        while True:
            await self._rest()
            self._observer.wake.clear()
            began = time.perf_counter()
            try:
                for decision in self._mirror.decide(clock.read()):
                    self._writer.submit(decision)
            except Exception:
                # That one object is passed over; the next round goes on with the rest.
                _logger.exception("An object made the controller stumble")
                self._observer.wake.set()
            self._metrics.loop_latency.observe(time.perf_counter() - began)

    async def _rest(self) -> None:
        due = self._mirror.next_wake()
        timeout = None if due is None else max(due - clock.read().monotonic, 0)
        try:
            async with asyncio.timeout(timeout):
                await self._observer.wake.wait()
        except TimeoutError:
            pass  # a clock ran out
