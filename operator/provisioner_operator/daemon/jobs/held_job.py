"""One job in the daemon's hands: acknowledged, run, archived, its end written.

Made by `agent` for each `Acknowledge`; `carry` is the whole way of the job through this process.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.daemons.duties import HeldRun, Stopping
from provisioner_operator.core.jobs.outcome import LogArchive, Outcome
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause
from provisioner_operator.daemon.jobs.writes import JobWrites
from provisioner_operator.daemon.logs.archive import Archive, Writer
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.reporting.report import RunningJob

logger = logging.getLogger(__name__)

MakeRun = Callable[[Task, RunLog], Run]


class Holding:
    """A held job. Stopping it never waits: what becomes of the run is written when it has ended."""

    def __init__(self, job: Job, *, writes: JobWrites, archive_writer: Writer, log: RunLog, make_run: MakeRun) -> None:
        self.job = job
        """The job as last known."""
        self._writes = writes
        self._archive_writer = archive_writer
        self._log = log
        self._make_run = make_run
        self._run: Run | None = None
        self._stopping = Stopping.NOT
        self._asked: tuple[StopCause, bool] | None = None
        """What was asked of the run before there was one."""
        self._abandoned = False
        self._ended = False
        self._since = time.time()
        # Canceling and the end are written one after the other.
        self._writing = asyncio.Lock()

    @property
    def held_run(self) -> HeldRun:
        """The holding as the duties see it."""
        assignment = "" if self.job.assignment is None else self.job.assignment.id
        return HeldRun(self.job.uid, assignment, self._stopping, self._ended)

    @property
    def running(self) -> RunningJob | None:
        """The job as the heartbeat lists it; None once nothing of it can run any more.

        Listed from before its acknowledgement is sent: no heartbeat built after that may leave out a run that the
        controller could take for over.
        """
        return None if self._ended else RunningJob(self.job.name, self.job.uid, self.job.workspace, self._since)

    async def carry(self, on_news: Callable[[], None]) -> Phase | None:
        """Take the job all the way and return the phase in which it ended; None if it never was or is not ours."""
        task = await self._writes.acknowledge(self.job)
        if task is None or self._is_abandoned():
            return None
        self.job = task.job
        logger.info("Running job %s", self.job.display_name)
        self._run = self._make_run(task, self._log)
        if self._asked is not None:
            self._stop(*self._asked)
        on_news()
        archive = Archive(self._archive_writer, self.job, self._log.kept)
        flushing = asyncio.create_task(archive.keep_flushing())
        try:
            outcome = await self._run.execute()
        finally:
            self._ended = True
            flushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flushing
            on_news()
        outcome = replace(outcome, log=await _closed(archive))
        if self._is_abandoned():
            logger.warning("Gave job %s up: it is over, deleted or not this process's any more", self.job.display_name)
            return None
        logger.info("Job %s is %s: %s", self.job.display_name, outcome.phase, outcome.reason)
        async with self._writing:
            return await self._writes.finish(self.job, _pointing_to_log(outcome, self.job))

    async def cancel(self, job: Job, *, force: bool) -> None:
        """Stop the run for its cancel, and say so."""
        self.job = job
        self._stop(StopCause.CANCEL, force)
        async with self._writing:
            if self.job.phase is Phase.RUNNING and not self._ended:
                self.job = await self._writes.begin_cancel(self.job) or self.job

    def abandon(self, *, kill: bool = False) -> None:
        """Stop the run without a word to the API server."""
        self._abandoned = True
        self._stop(StopCause.ABANDON, kill)

    def shut_down(self) -> None:
        """Stop the run because the daemon will not wait for it."""
        self._stop(StopCause.SHUTDOWN, False)  # noqa: FBT003 - as above

    def know(self, job: Job) -> None:
        """Take note of a newer version of the job."""
        if job.resource_version > self.job.resource_version:
            self.job = job

    def _is_abandoned(self) -> bool:
        return self._abandoned

    def _stop(self, cause: StopCause, kill: bool) -> None:  # noqa: FBT001 - a verb in two strengths
        self._stopping = Stopping.KILLED if kill else Stopping.INTERRUPTED
        if self._run is None:
            self._asked = self._asked or (cause, kill)
        elif kill:
            self._run.kill(cause)
        else:
            self._run.interrupt(cause)


async def _closed(archive: Archive) -> LogArchive | None:
    try:
        return await archive.close()
    except Exception:
        logger.exception("The log is not archived")  # whatever it is, the job's end comes first
        return None


def _pointing_to_log(outcome: Outcome, job: Job) -> Outcome:
    if outcome.phase is not Phase.FAILED or outcome.reason is not EndReason.RUN_FAILED:
        return outcome
    if outcome.log is None:
        return replace(
            outcome, message=f"{outcome.message} Its log could not be archived; see the daemon's own output."
        )
    where = f"kubectl -n {job.namespace} get configmap {log_archive_name(job.name)} -o jsonpath={{.data.log}}"
    return replace(outcome, message=f"{outcome.message} Log: {where}")
