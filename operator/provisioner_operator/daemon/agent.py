"""The daemon's agent: keeps the heartbeat, follows its jobs, and does what `core.duty` says.

Called by `__main__`. Level-triggered: whatever happens only wakes the loop, which then looks at the jobs as they are. It
ends when it is drained (exit 0), or when another process has taken the daemon over (TakenOverError).
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.api.v1alpha1.enums import Provisioner as ProvisionerName
from provisioner_operator.core.daemons.duties import Abandon, Acknowledge, Disown, Duty, StopRun, duties
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Provisioner, Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.jobs.feed import JobFeed
from provisioner_operator.daemon.jobs.held_job import Holding
from provisioner_operator.daemon.jobs.writes import JobWrites
from provisioner_operator.daemon.logs.console import Console
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.reporting.heartbeat import Heartbeat
from provisioner_operator.daemon.reporting.report import Report
from provisioner_operator.kube.client import KubeClient

logger = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 30.0
"""After all runs are killed: how long their logs may take to be archived."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What runs are made with."""

    provisioners: Mapping[ProvisionerName, Provisioner]
    directory: Path
    console: Console
    lock: int
    """Held while anything of this process lives (`succession`)."""


class Agent:
    """One process of one registered daemon."""

    def __init__(self, client: KubeClient, body: Mapping[str, Any], *, instance: str, workshop: Workshop) -> None:
        self._client = client
        self._instance = instance
        self._workshop = workshop
        self._draining = False
        self._wake = asyncio.Event()
        self._holdings: dict[str, Holding] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._declined: dict[str, int] = {}
        self._heartbeat = Heartbeat(client, body, instance=instance, report=self._report)
        meta = self._heartbeat.daemon.metadata
        self._feed = JobFeed(client, namespace=meta.namespace, daemon=meta.name, on_change=self._wake.set)
        self._writes = JobWrites(client, instance)

    def shut_down(self) -> None:
        """Finish what runs and take nothing new; asked a second time, stop what runs."""
        if self._draining:
            logger.warning("Told again to stop: stopping %d runs", len(self._holdings))
            for holding in self._holdings.values():
                holding.shut_down()
        else:
            logger.info("Draining: %d runs to finish, nothing new is taken", len(self._holdings))
            self._draining = True
        self._heartbeat.tell(at_once=True)
        self._wake.set()

    async def run(self) -> None:
        """Work until drained. Raises TakenOverError when another process has taken over."""
        beating = asyncio.create_task(self._heartbeat.keep())
        following = asyncio.create_task(self._follow())
        working = asyncio.create_task(self._work())
        parts = (beating, following, working)
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            results = await asyncio.gather(*parts, return_exceptions=True)
            await self._stop_everything()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        await self._heartbeat.beat()

    async def _follow(self) -> None:
        await self._heartbeat.registered.wait()
        daemon = self._heartbeat.daemon
        logger.info(
            "Registered as %s/%s with tags %s, capacity %d; instance %s",
            daemon.metadata.namespace,
            daemon.metadata.name,
            daemon.spec.tags or "none",
            daemon.spec.capacity,
            self._instance,
        )
        await self._feed.follow()

    async def _work(self) -> None:
        while not (self._draining and not self._holdings):
            await self._wake.wait()
            self._wake.clear()
            for uid, holding in self._holdings.items():
                if (job := self._feed.jobs.get(uid)) is not None:
                    holding.know(job)
            for duty in self._duties():
                self._do(duty)

    def _duties(self) -> list[Duty]:
        daemon = self._heartbeat.daemon
        self._declined = {uid: version for uid, version in self._declined.items() if uid in self._feed.jobs}
        return duties(
            [job for job in self._feed.jobs.values() if job.resource_version > self._declined.get(job.uid, -1)],
            {uid: holding.held_run for uid, holding in self._holdings.items()},
            daemon_uid=daemon.metadata.uid,
            instance=self._instance,
            capacity=daemon.spec.capacity,
            draining=self._draining,
        )

    def _do(self, duty: Duty) -> None:
        match duty:
            case Acknowledge(job):
                self._holdings[job.uid] = holding = self._hold(job)
                self._spawn(self._carry(holding))
            case StopRun(job, force):
                self._spawn(self._holdings[job.uid].cancel(job, force=force))
            case Abandon(uid):
                self._holdings[uid].abandon()
            case Disown(job):
                self._declined[job.uid] = job.resource_version
                self._spawn(self._disown(job))

    def _hold(self, job: Job) -> Holding:
        def make_run(task: Task, log: RunLog) -> Run:
            return Run(
                task,
                self._workshop.provisioners[task.job.demand.provisioner],
                contact=self._heartbeat.contact,
                grace=self._heartbeat.daemon.spec.cancel_grace_seconds,
                log=log,
                directory=self._workshop.directory,
                lock=self._workshop.lock,
            )

        log = RunLog(job.namespace, job.name, self._workshop.console)
        return Holding(job, writes=self._writes, archive_writer=self._client, log=log, make_run=make_run)

    async def _carry(self, holding: Holding) -> None:
        uid, version = holding.job.uid, holding.job.resource_version
        try:
            phase = await holding.carry(self._heartbeat.tell)
            if phase is None:
                self._declined[uid] = version
            else:
                self._heartbeat.tally.count(phase)
                self._feed.forget(uid)
        finally:
            del self._holdings[uid]
            self._heartbeat.tell()
            self._wake.set()

    async def _disown(self, job: Job) -> None:
        logger.error("Job %s is Running here, but this process has no run of it", job.display_name)
        message = (
            "The daemon took the job but has no run of it: it could not start it, or could not write how it ended. "
            "Read the daemon's log before you submit it again."
        )
        await self._writes.finish(job, Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message))
        self._feed.forget(job.uid)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of the daemon failed", exc_info=error)

    async def _stop_everything(self) -> None:
        for holding in self._holdings.values():
            holding.abandon(kill=True)
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=LAST_WORDS_SECONDS)
            for task in unfinished:
                task.cancel()

    def _report(self) -> Report:
        jobs = [job for holding in self._holdings.values() if (job := holding.running) is not None]
        if self._draining:
            state = DaemonState.DRAINING if self._holdings else DaemonState.OFFLINE
        else:
            state = DaemonState.BUSY if self._holdings else DaemonState.IDLE
        return Report(state, jobs)
