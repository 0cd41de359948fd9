"""Hold one job: acknowledge it, run it, archive its log and write its end.

Made by `agent` for each `Acknowledge`; `carry_out` is the whole way of the job through this process.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
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

CANCELING_AFTER_SECONDS = 1.0
"""Time after which a run that was interrupted by a cancel is reported as being stopped; most end sooner, with one write."""

MakeRun = Callable[[Task, RunLog], Run]


class HeldJob:
    """A job that this process holds. Stopping it never waits: the outcome is written when the run has ended."""

    def __init__(self, job: Job, *, writes: JobWrites, archive_writer: Writer, log: RunLog, make_run: MakeRun) -> None:
        self.job = job
        """The job as last observed."""
        self._assignment = "" if job.assignment is None else job.assignment.id
        """The assignment that it acknowledges; after a restore of etcd, the job may get another one."""
        self._writes = writes
        self._archive_writer = archive_writer
        self._log = log
        self._make_run = make_run
        self._run: Run | None = None
        self._stopping = Stopping.NOT
        self._asked: tuple[StopCause, bool] | None = None
        """The first request to stop that came before there was a run."""
        self._abandoned = False
        self._ended = False
        self._over = asyncio.Event()
        """Set once the run has ended."""
        self._since = time.time()
        # Canceling and the end are written one after the other: in the wrong order, the first would fail, or undo the end.
        self._writing = asyncio.Lock()

    @property
    def held_run(self) -> HeldRun:
        """The run as `duties` sees it."""
        return HeldRun(self.job.uid, self._assignment, self._stopping, self._ended)

    @property
    def running(self) -> RunningJob | None:
        """The job as the heartbeat lists it; None once nothing of it can run any more.

        Listed from before its acknowledgment is sent: a later heartbeat without it would make the controller conclude
        that the run is over.
        """
        job = self.job
        return None if self._ended else RunningJob(job.name, job.uid, job.changed_workspace, self._since)

    async def carry_out(self, on_change: Callable[[], None], show_runs: Callable[[], Awaitable[None]]) -> Phase | None:
        """Run the job to its end and return the phase in which it ended; None if it is not, or no longer, this process's.

        `show_runs` waits until no heartbeat shows the daemon at rest any more.
        """
        if self.job.changed_workspace is not None:
            # Before the acknowledgment: to a controller that starts, a daemon at rest is one that changes no workspace.
            await show_runs()
        task = None if self._is_abandoned() else await self._writes.acknowledge(self.job)
        if task is None or self._is_abandoned():
            return None
        self.job = task.job
        logger.info("Running job %s", self.job.display_name)
        self._run = self._make_run(task, self._log)
        # A cancel or a shutdown may have come while the acknowledgment was on its way.
        if self._asked is not None:
            self._stop(*self._asked)
        on_change()
        archive = Archive(self._archive_writer, self.job, self._log.kept)
        flushing = asyncio.create_task(archive.keep_flushing())
        try:
            outcome = await self._run.execute()
        finally:
            # First, so that the next heartbeat no longer lists the run while its log is still being archived.
            self._ended = True
            self._over.set()
            await _end_flushing(flushing)
            on_change()
        # Before the end is written: whoever sees the job ended finds its whole log.
        outcome = replace(outcome, log=await _close(archive))
        if self._is_abandoned():
            logger.warning(
                "Abandoned job %s: it has ended, was deleted or is no longer this process's", self.job.display_name
            )
            return None
        logger.info("Job %s is %s: %s", self.job.display_name, outcome.phase, outcome.reason)
        async with self._writing:
            return await self._writes.finish(self.job, _with_log_hint(outcome, self.job))

    async def stop(self, job: Job, *, force: bool) -> None:
        """Stop the run because the job is canceled or being deleted; one that takes its time sets its canceled job Canceling."""
        self.job = job
        self._stop(StopCause.CANCEL if job.cancel else StopCause.DELETION, force)
        try:
            async with asyncio.timeout(CANCELING_AFTER_SECONDS):
                await self._over.wait()
        except TimeoutError:
            await self._begin_cancel()

    async def _begin_cancel(self) -> None:
        async with self._writing:
            if self.job.cancel and self.job.phase is Phase.RUNNING and not self._ended:
                self.job = await self._writes.begin_cancel(self.job) or self.job

    def abandon(self, *, kill: bool = False) -> None:
        """Stop the run and write nothing more of the job."""
        self._abandoned = True
        self._stop(StopCause.ABANDON, kill)

    def shut_down(self, cause: StopCause) -> None:
        """Stop the run because the daemon shuts down and does not wait for it, or no longer."""
        self._stop(cause, False)  # noqa: FBT003 - see _stop

    def observe(self, job: Job) -> None:
        """Keep the job if this version is newer."""
        if job.resource_version > self.job.resource_version:
            self.job = job

    def forget_version(self) -> None:
        """Take the next version of the job, whatever its number."""
        self.job = replace(self.job, resource_version=0)

    def _is_abandoned(self) -> bool:
        return self._abandoned

    def _stop(self, cause: StopCause, kill: bool) -> None:  # noqa: FBT001 - the same request in two strengths
        self._stopping = Stopping.KILLED if kill else Stopping.INTERRUPTED
        if self._run is None:
            self._asked = self._asked or (cause, kill)
        elif kill:
            self._run.kill(cause)
        else:
            self._run.interrupt(cause)


async def _end_flushing(flushing: "asyncio.Task[None]") -> None:
    flushing.cancel()
    try:
        await flushing
    except asyncio.CancelledError:
        pass
    except Exception:
        # Whatever it is: the archive is closed next, which tries once more.
        logger.exception("Archiving the log failed")


async def _close(archive: Archive) -> LogArchive | None:
    try:
        return await archive.close()
    except Exception:
        # Whatever it is: a log that cannot be archived must not keep the job from ending.
        logger.exception("Archiving the log failed")
        return None


def _with_log_hint(outcome: Outcome, job: Job) -> Outcome:
    if outcome.phase is not Phase.FAILED or outcome.reason is not EndReason.RUN_FAILED:
        return outcome
    if outcome.log is None:
        return replace(
            outcome, message=f"{outcome.message} Its log could not be archived; see the daemon's own output."
        )
    where = f"kubectl -n {job.namespace} get configmap {log_archive_name(job.name)} -o jsonpath={{.data.log}}"
    return replace(outcome, message=f"{outcome.message} Log: {where}")
