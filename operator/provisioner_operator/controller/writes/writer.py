"""Carry out decisions: namespaces in turn, the urgent first, at the rate that the API server allows, while this process leads.

No write is ever repeated blindly. A request that could not be sent is settled after a pause, and the decision is made
again from the current state. A failed precondition is news: the object is read, and the decision is made again. A refusal
is reported once, in the log and as an Event, and the reconciler backs off (`core.model.backoff`). Leadership is checked
right before each write, since the process may have been frozen after the decision, and a write is abandoned before
another process may lead. A standby only reads.
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
from provisioner_operator.controller.writes.urgency import urgency_of
from provisioner_operator.core.daemons.decisions import CheckDaemon
from provisioner_operator.core.jobs.decisions import CheckJob
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.kube.errors import BusyError, ForbiddenError, KubeError

_logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
"""Longest pause of a writer whose requests get no answer: it notices the API server's return soon, and does not storm it."""
_FAILED_READ_PAUSE_SECONDS = 5.0
"""Pause after a refused read of a job that is missing from a list."""
_ROOM_FOR_OTHERS = 8
"""Share of the writers that one namespace never occupies: one in this many."""


@dataclass(frozen=True, slots=True)
class Departed:
    """Job that is missing from a list: it ended or was deleted, and a read finds out which."""

    namespace: str
    name: str
    uid: str


class Writer:
    """Fair queue of decisions, and the tasks that carry them out."""

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
        """Read jobs that are missing from a list by `jobs`; `writers` is the number of concurrent `run` tasks."""
        self._families = families
        self._jobs = jobs
        self._observer = observer
        self._metrics = metrics
        self._tenure = tenure
        self._gate = gate
        self._queue: FairQueue[Decision | Departed] = FairQueue(max(writers - max(writers // _ROOM_FOR_OTHERS, 1), 1))
        self._pause = _FIRST_PAUSE_SECONDS

    def submit(self, work: Decision | Departed) -> None:
        """Queue a decision, or a read of a departed job."""
        namespace = work.namespace if isinstance(work, Departed) else work.regarding.namespace
        self._queue.put(namespace, work, urgency_of(work))

    async def drained(self) -> None:
        """Wait until all submitted work is done."""
        await self._queue.drained()

    async def run(self) -> None:
        """Carry out queued work until canceled; several of these tasks run concurrently."""
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

    # --- one item ---

    async def _do(self, work: Decision | Departed) -> None:
        sent = clock.read().monotonic
        try:
            result = await self._attempt(work)
        except TimeoutError:
            # The tenure ended meanwhile, which implies nothing about the API server: this process may have been frozen.
            self._count(work, Result.EXPIRED)
            await self._pause_longer()  # a list that is slower than each tenure would be repeated without end
            self._again(work)
        except Exception as error:  # noqa: BLE001 - one malformed object must not stop the others
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
            return Result.DROPPED  # the leader decides from the current state
        async with asyncio.timeout(tenure if tenure < float("inf") else None):
            return await self._execute(work)

    async def _execute(self, decision: Decision) -> Result:
        executor = self._families[type(decision)].executor
        try:
            return await executor.execute(decision)
        except KubeError as error:
            # If nothing has changed, it is a refusal: the same write would be decided, and fail, again and again.
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
                await self._pause_longer()
                self._again(work)
            case _:
                if isinstance(error, KubeError):
                    self._answered()
                self._count(work, Result.REFUSED)
                self._refused(work, error)

    # --- the outcome ---

    async def _pause_longer(self) -> None:
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(self._pause)

    def _answered(self) -> None:
        self._pause = _FIRST_PAUSE_SECONDS
        self._observer.contact()
        self._gate.answered()

    def _accepted(self, work: Decision | Departed, result: Result) -> None:
        if not isinstance(work, Departed) and result is Result.OK:
            self._families[type(work)].reconciler.accepted(work)
            self._observer.accepted(work)

    def _refused(self, work: Decision | Departed, error: Exception) -> None:
        """Have the reconciler back off, and report the refusal unless it repeats the last one."""
        if isinstance(work, Departed):
            _logger.error("%s/%s could not be read; retrying later: %s", work.namespace, work.name, error)
            asyncio.get_running_loop().call_later(_FAILED_READ_PAUSE_SECONDS, self.submit, work)
            return
        refusal = refusal_of(error)
        if self._families[type(work)].reconciler.refused(work, refusal, clock.read()):
            _log_refusal(work, error)
            if isinstance(error, KubeError) and not refusal.transient:
                self._observer.refused(work, refusal)
        # Only now, so that the next decision takes the refusal into account.
        self._settle(work)

    def _again(self, work: Decision | Departed) -> None:
        """Repeat a read; settle a decision, so that it is made again."""
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
        _logger.error("%s failed and is retried with backoff", what, exc_info=error, extra=extra)
    elif isinstance(error, ForbiddenError) and "cannot " in str(error):  # RBAC's wording; policies use another
        advice = "Give the operator's ServiceAccount the ClusterRole provisioner-operator."
        _logger.error("%s: %s. %s", what, error, advice, extra=extra)
    else:
        _logger.error("%s is refused and retried with backoff: %s", what, error, extra=extra)
