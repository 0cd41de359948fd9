"""Send decisions as requests: in turn, at the pace that the API server allows, while this process leads.

No write is ever repeated blindly. What could not be sent is settled after a pause, and decided again from what is then
true. An answer that says that the object has moved on is news: it is read, and decided anew. A refusal is reported once,
in the log and as an Event, and its reconciler backs off (`core.model.backoff`). Each write is made only while this process
leads, asked anew at that moment (it may have been frozen since it was decided), and abandoned before another process may
lead. Who stands by only reads.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.answers import Meaning, Result, meaning_of, refusal_of
from provisioner_operator.controller.writes.fair_queue import FairQueue
from provisioner_operator.controller.writes.families import Family
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.core.daemons.decisions import CheckDaemon
from provisioner_operator.core.jobs.decisions import CheckJob
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.kube.errors import BusyError, ForbiddenError, KubeError

_logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
"""How long a writer waits after it found no API server: short enough to notice its return, long enough not to storm."""
_FAILED_READ_PAUSE_SECONDS = 5.0
"""How long a job that is missing from a list waits for its read after that was refused."""
_ROOM_FOR_OTHERS = 8
"""One of so many writers is never taken by the namespace that has the most to do."""


@dataclass(frozen=True, slots=True)
class Departed:
    """A job is missing from a list: it ended or was deleted, and a read finds out which."""

    namespace: str
    name: str
    uid: str


class Writer:
    """A fair queue of decisions and the tasks that carry them out."""

    def __init__(
        self,
        families: Mapping[type, Family],
        jobs: JobExecutor,
        observer: Observer,
        metrics: Metrics,
        tenure: Callable[[], float],
        gate: WriteGate,
        writers: int,
    ) -> None:
        """`jobs` reads jobs that are missing from a list; `writers` is how many `run` side by side."""
        self._families = families
        self._jobs = jobs
        self._observer = observer
        self._metrics = metrics
        self._tenure = tenure
        self._gate = gate
        self._queue: FairQueue[Decision | Departed] = FairQueue(max(writers - max(writers // _ROOM_FOR_OTHERS, 1), 1))
        self._pause = _FIRST_PAUSE_SECONDS

    def submit(self, work: Decision | Departed) -> None:
        """Have this done."""
        namespace = work.namespace if isinstance(work, Departed) else work.regarding.namespace
        self._queue.put(namespace, work)

    async def drained(self) -> None:
        """Return once all that was submitted is done."""
        await self._queue.drained()

    async def run(self) -> None:
        """Do work until canceled. Several of these run side by side."""
        while True:
            namespace, work = await self._queue.get()
            try:
                await self._gate.enter()
                try:
                    await self._do(work)
                finally:
                    self._gate.leave()
            finally:
                self._queue.done(namespace)

    # --- one piece of work ---

    async def _do(self, work: Decision | Departed) -> None:
        sent = clock.read().monotonic
        try:
            result = await self._attempt(work)
        except TimeoutError:
            # The tenure ended meanwhile, which says nothing about the API server: this process may have been frozen.
            self._count(work, Result.EXPIRED)
            self._again(work)
        except Exception as error:  # noqa: BLE001 - one strange object must not stop the others
            await self._failed(work, error, sent)
        else:
            self._count(work, result)
            if result is not Result.DROPPED:
                self._answered()
                self._accepted(work, result)
            self._settle(work)

    async def _attempt(self, work: Decision | Departed) -> Result:
        if isinstance(work, Departed):
            await self._jobs.read(work.namespace, work.name, work.uid)
            return Result.OK
        tenure = self._tenure()
        if tenure <= 0:
            return Result.DROPPED  # whoever leads decides it from what is true
        async with asyncio.timeout(tenure if tenure < float("inf") else None):
            return await self._execute(work)

    async def _execute(self, decision: Decision) -> Result:
        executor = self._families[type(decision)].executor
        try:
            return await executor.execute(decision)
        except KubeError as error:
            # News that is none is a refusal: the same write would be decided, and fail, again and again.
            if meaning_of(error) is Meaning.NEWS and await executor.is_news(decision):
                return Result.CONFLICT
            raise

    async def _failed(self, work: Decision | Departed, error: Exception, sent: float) -> None:
        match meaning_of(error):
            case Meaning.BUSY if isinstance(error, BusyError):
                self._observer.contact()
                self._count(work, Result.BUSY)
                self._gate.refused(error, sent=sent)
                self._again(work)  # it waits at the gate
            case Meaning.UNREACHABLE:
                self._observer.contact_lost(error)
                self._count(work, Result.UNREACHABLE)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(self._pause)
                self._again(work)
            case _:
                if isinstance(error, KubeError):
                    self._answered()
                self._count(work, Result.REFUSED)
                self._refused(work, error)

    # --- the outcome ---

    def _answered(self) -> None:
        self._pause = _FIRST_PAUSE_SECONDS
        self._observer.contact()
        self._gate.answered()

    def _accepted(self, work: Decision | Departed, result: Result) -> None:
        if not isinstance(work, Departed) and result is Result.OK:
            self._families[type(work)].reconciler.accepted(work)

    def _refused(self, work: Decision | Departed, error: Exception) -> None:
        """Have its reconciler back off, and report it if it is the first time in a row."""
        if isinstance(work, Departed):
            _logger.error("%s/%s could not be read and is read again later: %s", work.namespace, work.name, error)
            asyncio.get_running_loop().call_later(_FAILED_READ_PAUSE_SECONDS, self.submit, work)
            return
        refusal = refusal_of(error)
        if self._families[type(work)].reconciler.refused(work, refusal, clock.read()):
            _log_refusal(work, error)
            if isinstance(error, KubeError) and not refusal.transient:
                self._observer.refused(work, refusal)
        # Only now, so that the next look knows of the refusal.
        self._settle(work)

    def _again(self, work: Decision | Departed) -> None:
        """Nothing was learned: a decision is made anew, a read is not forgotten."""
        if isinstance(work, Departed):
            self.submit(work)
        else:
            self._settle(work)

    def _settle(self, work: Decision | Departed) -> None:
        if not isinstance(work, Departed):
            self._families[type(work)].reconciler.settled(work, clock.read())
            self._observer.wake.set()

    def _count(self, work: Decision | Departed, result: Result) -> None:
        if not isinstance(work, CheckDaemon | CheckJob | Departed):
            self._metrics.writes.labels(type(work).__name__, result.value).inc()


def _log_refusal(decision: Decision, error: Exception) -> None:
    what = f"{type(decision).__name__} of {decision.display_name}"
    extra = {"object": decision.display_name}
    if not isinstance(error, KubeError):
        _logger.error("%s failed and is tried again later", what, exc_info=error, extra=extra)
    elif isinstance(error, ForbiddenError) and "cannot " in str(error):  # as RBAC words it, unlike policies
        advice = "Give the operator's ServiceAccount the ClusterRole provisioner-operator."
        _logger.error("%s: %s. %s", what, error, advice, extra=extra)
    else:
        _logger.error("%s is refused and tried again with growing pauses: %s", what, error, extra=extra)
