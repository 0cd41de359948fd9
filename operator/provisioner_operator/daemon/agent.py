"""Run the daemon: send its heartbeat, follow its jobs, and carry out what `core.daemons.duties` decides.

Called by `__main__`. Level-triggered: every event only wakes the loop, which then compares the jobs as they are with the
runs that it holds. Ends when the daemon is drained (exit 0), when another process has taken the daemon over
(TakenOverError), or when its object is gone (DaemonDeletedError); an unexpected error in one of its parts ends nothing.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.api.v1alpha1.enums import Provisioner as ProvisionerName
from provisioner_operator.core.daemons.duties import Abandon, Acknowledge, Disown, Duty, StopRun, duties
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Provisioner, Task
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause
from provisioner_operator.daemon.execution.unsaved_state import UnsavedState
from provisioner_operator.daemon.execution.workdir import PREFIX
from provisioner_operator.daemon.jobs.feed import JobFeed
from provisioner_operator.daemon.jobs.held_job import HeldJob
from provisioner_operator.daemon.jobs.writes import JobWrites
from provisioner_operator.daemon.logs.console import Console
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.reporting.heartbeat import DaemonDeletedError, Heartbeat, TakenOverError
from provisioner_operator.daemon.reporting.report import ListedState, Report
from provisioner_operator.daemon.reporting.traces import RunTraces
from provisioner_operator.daemon.retrying import despite_errors
from provisioner_operator.daemon.saving.guarded_command import GuardedCommands
from provisioner_operator.daemon.saving.pusher import Pusher
from provisioner_operator.daemon.saving.unsaved_states import UnsavedStates, WaitingState
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube.client import KubeClient

logger = logging.getLogger(__name__)

LOG_FLUSH_SECONDS = 30.0
"""The time that the logs of killed runs may take to be archived before the process ends."""


@dataclass(frozen=True, slots=True)
class RunResources:
    """Resources of the daemon that all runs share."""

    provisioners: Mapping[ProvisionerName, Provisioner]
    directory: Path
    """The parent of the runs' private directories."""
    console: Console
    lock: int
    """Inherited by every run's guard, so that it is held while anything of this process lives (`predecessor_lock`)."""
    prefix: str = PREFIX
    """Begins the names of the runs' directories, so that the next process recognizes those of this daemon."""
    access: ClusterAccess = field(default_factory=ClusterAccess)
    """Access to the API server that keeps the states."""
    leftovers: Sequence[UnsavedState] = ()
    """States that runs of a former process could not save."""
    binaries: Binaries = field(default_factory=Binaries)
    """The Terraform programs."""
    traces: RunTraces = field(default_factory=RunTraces)


class Agent:
    """One process of one registered daemon."""

    def __init__(
        self,
        client: KubeClient,
        body: Mapping[str, Any],
        *,
        instance: str,
        resources: RunResources,
        drain_seconds: float | None = None,
    ) -> None:
        """Take the daemon's object as last read, and the time that runs get to end at a shutdown, if it is limited."""
        self._client = client
        self._instance = instance
        self._resources = resources
        self._draining = self._is_hurried = False
        self._drain_seconds = drain_seconds
        self._wake = asyncio.Event()
        self._held: dict[str, HeldJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._declined: dict[str, int] = {}
        """Versions of jobs that could not be taken; each is retried only once it has changed."""
        self._heartbeat = Heartbeat(client, body, instance=instance, report=self._report)
        meta = self._heartbeat.daemon.metadata
        self._is_in_pod = any(owner.kind == "Pod" for owner in meta.owner_references)
        self._feed = JobFeed(
            client,
            namespace=meta.namespace,
            daemon=meta.name,
            on_change=self._wake.set,
            on_restored=self._forget_versions,
        )
        self._writes = JobWrites(client, instance, resources.traces.ended)
        self._states = self._look_after_states()

    def shut_down(self) -> None:
        """Finish the current runs and take no new job; stop them when the time for that is over, or at the second call."""
        if self._draining:
            self._is_hurried = True
            logger.warning("Stopping %d runs: asked to shut down a second time", len(self._held))
            self._stop_runs(StopCause.SHUTDOWN)
        else:
            logger.info("Draining: finishing %d runs, taking no new job", len(self._held))
            self._draining = True
            if self._drain_seconds is not None:
                asyncio.get_running_loop().call_later(self._drain_seconds, self._end_drain, self._drain_seconds)
        self._heartbeat.notify(at_once=True)
        self._wake.set()

    def _end_drain(self, seconds: float) -> None:
        if self._held:
            logger.warning("Stopping %d runs: they did not end within %.0f s of the shutdown", len(self._held), seconds)
            self._stop_runs(StopCause.DRAIN_TIMEOUT)

    def _stop_runs(self, cause: StopCause) -> None:
        for held in self._held.values():
            held.shut_down(cause)

    def _look_after_states(self) -> UnsavedStates:
        contact, resources = self._heartbeat.contact, self._resources
        commands = GuardedCommands(contact, self._heartbeat.daemon.spec.cancel_grace_seconds, resources.lock)
        pusher = Pusher(self._client, commands, resources.access, resources.directory, resources.prefix)
        return UnsavedStates(
            self._client,
            pusher,
            contact=contact,
            on_change=self._states_changed,
            leftovers=resources.leftovers,
            binaries=resources.binaries,
        )

    def _states_changed(self) -> None:
        self._heartbeat.notify()
        self._wake.set()

    async def run(self) -> None:
        """Work until drained. Raises TakenOverError when another process has taken over, DaemonDeletedError after a deletion."""
        parts = [
            asyncio.create_task(despite_errors(part, expected=(TakenOverError, DaemonDeletedError)))
            for part in (self._heartbeat.keep_beating, self._follow_jobs, self._keep_reconciling)
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            results = await asyncio.gather(*parts, return_exceptions=True)
            await self._states.close()
            # The jobs of a deleted daemon are judged by its fence; those of one that was taken over are lost already, and
            # another daemon may have got the next job of their workspaces.
            await self._abandon_runs(kill=not any(isinstance(each, DaemonDeletedError) for each in results))
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        # Only now that nothing runs any more: this heartbeat reports the daemon as Offline, with its last counts.
        await self._heartbeat.beat()

    async def _follow_jobs(self) -> None:
        # A job taken before the API server knows this instance would look like another process's.
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
        self._states.begin()
        await self._feed.follow()

    def _forget_versions(self) -> None:
        self._declined.clear()
        for held in self._held.values():
            held.forget_version()

    async def _keep_reconciling(self) -> None:
        self._wake.set()  # what woke it may not have been done, if this is not the first time
        while not self._is_drained():
            await self._wake.wait()
            # Before the jobs are looked at: what changes after that wakes the loop again.
            self._wake.clear()
            for uid, held in self._held.items():
                if (job := self._feed.jobs.get(uid)) is not None:
                    held.observe(job)
            for duty in self._duties():
                self._perform(duty)

    def _is_drained(self) -> bool:
        if not self._draining or self._held:
            return False
        # Outside a Pod the disk outlives the process: whoever asks a second time need not wait.
        return not self._states.waiting or (self._is_hurried and not self._is_in_pod)

    def _duties(self) -> list[Duty]:
        daemon = self._heartbeat.daemon
        self._declined = {uid: version for uid, version in self._declined.items() if uid in self._feed.jobs}
        return duties(
            [job for job in self._feed.jobs.values() if job.resource_version > self._declined.get(job.uid, -1)],
            {uid: held.held_run for uid, held in self._held.items()},
            daemon_uid=daemon.metadata.uid,
            instance=self._instance,
            capacity=daemon.spec.capacity,
            draining=self._draining,
        )

    def _perform(self, duty: Duty) -> None:
        match duty:
            case Acknowledge(job):
                # Held before its task starts: the next round must not acknowledge it a second time.
                self._held[job.uid] = held = self._hold(job)
                self._spawn(self._carry_out(held))
            case StopRun(job, force):
                self._spawn(self._held[job.uid].stop(job, force=force))
            case Abandon(uid):
                self._held[uid].abandon()
            case Disown(job):
                self._declined[job.uid] = job.resource_version
                self._spawn(self._disown(job))

    def _hold(self, job: Job) -> HeldJob:
        def make_run(task: Task, log: RunLog) -> Run:
            return Run(
                task,
                self._resources.provisioners[task.job.demand.provisioner],
                contact=self._heartbeat.contact,
                grace=self._heartbeat.daemon.spec.cancel_grace_seconds,
                log=log,
                directory=self._resources.directory,
                prefix=self._resources.prefix,
                lock=self._resources.lock,
                keeper=self._states,
                variables=lambda stage: self._resources.traces.variables(task.model, stage),
            )

        log = RunLog(job.namespace, job.name, self._resources.console)
        return HeldJob(job, writes=self._writes, archive_writer=self._client, log=log, make_run=make_run)

    async def _carry_out(self, held: HeldJob) -> None:
        uid, version, started = held.job.uid, held.job.resource_version, time.time()
        try:
            phase = await held.carry_out(self._heartbeat.notify, self._heartbeat.show_runs)
            if phase is None:
                self._declined[uid] = version
            else:
                self._heartbeat.tally.count(phase, started=started, now=time.time())
                # The watch may report the end much later; until then the job would look like one without a run.
                self._feed.forget(uid)
        finally:
            del self._held[uid]
            self._heartbeat.notify()
            self._wake.set()

    async def _disown(self, job: Job) -> None:
        logger.error("Job %s is Running on this daemon, but this process has no run of it", job.display_name)
        message = (
            "The daemon took the job but has no run of it: it could not start the run, or could not write its end. "
            "Read the daemon's log before you submit the job again."
        )
        await self._writes.finish(job, Outcome(Phase.FAILED, EndReason.DAEMON_LOST, message))
        self._feed.forget(job.uid)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of the daemon failed", exc_info=error)

    async def _abandon_runs(self, *, kill: bool) -> None:
        if self._held:
            logger.warning("%s %d runs", "Killing" if kill else "Interrupting", len(self._held))
        for held in self._held.values():
            held.abandon(kill=kill)
        if self._tasks:
            # Runs that ignore the interrupt are killed after their grace period, or by the fence if that comes first.
            patience = LOG_FLUSH_SECONDS + (0 if kill else self._heartbeat.contact.seconds_to_kill)
            _, unfinished = await asyncio.wait(self._tasks, timeout=patience)
            for task in unfinished:
                task.cancel()

    def _report(self) -> Report:
        jobs = [job for held in self._held.values() if (job := held.running) is not None]
        if self._draining:
            state = DaemonState.OFFLINE if self._is_drained() else DaemonState.DRAINING
        else:
            state = DaemonState.BUSY if self._held else DaemonState.IDLE
        return Report(state, jobs, [_listed(each) for each in self._states.waiting])


def _listed(entry: WaitingState) -> ListedState:
    run = entry.state.run
    return ListedState(run.workspace, run.job, run.job_uid, entry.since, entry.reason)
