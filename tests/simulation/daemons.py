"""A provisioner daemon in virtual time: the real duties, a heartbeat, a fence, and runs that honour or ignore them."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.api.enums import DaemonState, EndReason, Phase
from provisioner_operator.core import duty, status_patch
from provisioner_operator.core.duty import Abandon, Acknowledge, Cancel, HeldRun, Stopping
from provisioner_operator.core.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.outcome import Outcome
from provisioner_operator.core.records import Job
from provisioner_operator.core.status_patch import StatusPatch, timestamp
from provisioner_operator.core.timeouts import interrupt_after, kill_after
from provisioner_operator.kube.parsing import parse_job
from simulation.network import RETRY_SECONDS, Answer, Event, Network, Result, Watch
from simulation.server import EPOCH, Body

if TYPE_CHECKING:
    from simulation.invariants import Invariants

SOONEST_HEARTBEAT = 2.0
"""A start or an end is reported at once unless the last heartbeat was this short ago."""


@dataclass(slots=True, eq=False)
class Run:
    """A run that the daemon holds, from before its acknowledgement is sent until its end is written."""

    job: Job
    """The job as this daemon knows it."""
    assignment_id: str
    stopping: Stopping = Stopping.NOT
    alive: bool = False
    """Whether its process exists."""
    ended: bool = False
    outcome: Outcome | None = None
    abandoned: bool = False
    canceled: bool = False

    @property
    def uid(self) -> str:
        return self.job.uid

    def held(self) -> HeldRun:
        return HeldRun(self.uid, self.assignment_id, self.stopping, self.ended)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a daemon and its runs behave."""

    beat_every: float
    """Seconds between heartbeats."""
    run_seconds: float
    """How long a run takes on average."""
    deaf: float
    """The share of runs that ignore an interrupt."""
    clock_skew: float = 0.0


class SimulatedDaemon:
    """One process of a daemon, from its start to its death; its successor under the same name is another one."""

    def __init__(
        self, uid: str, instance: str, network: Network, random: Random, invariants: "Invariants", habits: Habits
    ) -> None:
        self.uid = uid
        self.instance = instance
        self.connected = True
        self.alive = True
        self.draining = False
        self.runs: dict[str, Run] = {}
        self.capacity = 1
        self._lost_after = 300.0
        self._grace = 180.0
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._invariants = invariants
        self._habits = habits
        self._jobs: dict[str, Job] = {}
        self._watch: Watch | None = None
        self._contact = self._schedule.now
        self._beat_sent = float("-inf")
        self._beating = self._beat_soon = False
        self._beat()

    @property
    def wall(self) -> float:
        """This machine's clock."""
        return EPOCH + self._schedule.now + self._habits.clock_skew

    @property
    def processes(self) -> int:
        return sum(run.alive for run in self.runs.values())

    def die(self) -> None:
        """The process is gone; its guards have stopped its runs."""
        if not self.alive:
            return
        self.alive = self.connected = False
        if self._watch is not None:
            self._watch.close()
        for run in self.runs.values():
            self._stop_process(run)

    def drain(self, *, at_once: bool) -> None:
        """Take nothing new; end what runs if `at_once`, and stop when all is over."""
        self.draining = self._beat_soon = True
        self._heartbeat()
        for run in list(self.runs.values()) if at_once else ():
            self._exit(run, Phase.FAILED, EndReason.DAEMON_SHUTDOWN)
        self._stop_when_drained()

    def _stop_when_drained(self) -> None:
        if self.alive and self.draining and not self.runs:
            self._beat_soon = True
            self._heartbeat()
            self._schedule.after(1.0, self.die)

    # --- heartbeat and fence ---

    def _beat(self) -> None:
        if self.alive:
            self._heartbeat()
            self._schedule.after(self._habits.beat_every * self._random.uniform(0.9, 1.1), self._beat)

    def _changed(self) -> None:
        """A run started or ended: say so, but not too often."""
        if not self._beat_soon and self.alive:
            self._beat_soon = True
            self._schedule.after(self._beat_sent + SOONEST_HEARTBEAT - self._schedule.now, self._heartbeat)

    def _heartbeat(self) -> None:
        if self._beating or not self.alive:
            return
        self._beat_soon = False
        self._beating = True
        sent = self._beat_sent = self._schedule.now
        fields = self._report()

        def answered(result: Result, body: Body | None) -> None:
            self._beating = False
            if self.alive and result is Result.DONE and body is not None:
                self._contact = sent
                spec = body["spec"]
                before = self.capacity
                self.capacity, self._grace = spec["capacity"], spec["cancelGraceSeconds"]
                self._lost_after = spec["lostAfterSeconds"]
                if self._watch is None:
                    self._start_watching()
                    self._check_fence()
                    self._act()
                elif self.capacity != before:
                    self._act()
            if self._beat_soon:
                self._heartbeat()

        self._network.send(self, lambda: self._network.server.merge_status(self.uid, fields), answered)

    def _report(self) -> Body:
        # A run is listed from before its acknowledgement is sent: a heartbeat that does not list it tells that it is over.
        runs = [run for run in self.runs.values() if not run.ended]
        state = DaemonState.BUSY if runs else DaemonState.IDLE
        if self.draining:
            state = DaemonState.DRAINING if self.runs else DaemonState.OFFLINE
        return {
            "state": state,
            "instance": self.instance,
            "lastHeartbeatTime": timestamp(self.wall),
            "lostAfterSeconds": int(self._lost_after),
            "currentJobs": [
                {"name": run.job.name, "uid": run.uid, "workspace": run.job.workspace, "startedAt": timestamp(self.wall)}
                for run in runs
            ],
        }

    def _check_fence(self) -> None:
        """Without contact for too long, stop everything: the controller is about to give the jobs up."""
        if not self.alive:
            return
        silent = self._schedule.now - self._contact
        if silent < interrupt_after(self._lost_after):
            self._schedule.after(interrupt_after(self._lost_after) - silent + 0.01, self._check_fence)
            return
        for run in self.runs.values():
            self._fence(run)
        self._schedule.after(self._lost_after / 100, self._check_fence)

    def _fence(self, run: Run) -> None:
        if run.alive:
            kill_in = self._contact + kill_after(self._lost_after) - self._schedule.now
            self._interrupt(run, EndReason.DAEMON_LOST, kill_in)

    # --- jobs ---

    def _start_watching(self) -> None:
        def is_mine(body: Body) -> bool:
            given = body["status"].get("assignment")
            return body["kind"] == "ProvisionerJob" and given is not None and given["daemonUID"] == self.uid

        def handle(event: Event) -> None:
            old, new = event
            if new is not None:
                self._see(parse_job(new))
            elif old is not None:
                self._jobs.pop(old["metadata"]["uid"], None)
            self._act()

        self._watch = Watch(self._network, self, is_mine, handle)
        for body in self._network.server.objects.values():
            if is_mine(body):
                self._see(parse_job(body))

    def _see(self, job: Job) -> None:
        known = self._jobs.get(job.uid)
        if known is None or job.resource_version > known.resource_version:
            self._jobs[job.uid] = job
            if job.uid in self.runs:
                self.runs[job.uid].job = job

    def _act(self) -> None:
        if not self.alive or self._watch is None:
            return
        held = {uid: run.held() for uid, run in self.runs.items()}
        due = duty.duties(
            self._jobs.values(),
            held,
            daemon_uid=self.uid,
            instance=self.instance,
            capacity=self.capacity,
            draining=self.draining,
        )
        for each in due:
            match each:
                case Acknowledge(job):
                    self._acknowledge(job)
                case Cancel(job, force):
                    self._cancel(self.runs[job.uid], force=force)
                case Abandon(uid):
                    self._abandon(self.runs[uid])

    def _acknowledge(self, job: Job) -> None:
        if job.assignment is None:
            raise AssertionError("told to acknowledge what is not assigned")
        run = self.runs[job.uid] = Run(job, job.assignment.id)

        def answered(result: Result, body: Body | None) -> None:
            if not self.alive or self.runs.get(job.uid) is not run:
                return
            if result is Result.DONE and body is not None:
                self._see(parse_job(body))
                self._start(run)
            elif result is Result.GONE:
                self._let_go(run)
            else:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._was_acknowledged, run)

        self._write(job.uid, status_patch.acknowledge(job, self.instance, self.wall), "Acknowledge", answered)

    def _was_acknowledged(self, run: Run) -> None:
        """Whether an acknowledgement whose answer got lost, or that was refused, was accepted."""

        def answered(result: Result, body: Body | None) -> None:
            if not self.alive or self.runs.get(run.uid) is not run:
                return
            if result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._was_acknowledged, run)
                return
            if body is not None:
                self._see(parse_job(body))
                given = run.job.assignment
                is_mine = given is not None and (given.id, given.instance) == (run.assignment_id, self.instance)
                if run.job.phase in STARTED and is_mine:
                    self._start(run)
                    return
            self._let_go(run)

        self._network.send(self, lambda: self._network.server.get(run.uid), answered)

    def _start(self, run: Run) -> None:
        if run.stopping is not Stopping.NOT:
            self._end(run, Phase.CANCELED, EndReason.CANCELED)
            return
        if self._schedule.now - self._contact >= interrupt_after(self._lost_after):
            self._end(run, Phase.FAILED, EndReason.DAEMON_LOST)
            return
        run.alive = True
        self._invariants.process_started(self, run)
        takes = self._random.expovariate(1 / self._habits.run_seconds)
        phase = Phase.COMPLETED if self._random.random() < 0.8 else Phase.FAILED
        self._schedule.after(
            takes, self._exit, run, phase, EndReason.COMPLETED if phase is Phase.COMPLETED else EndReason.RUN_FAILED
        )
        self._changed()
        self._act()

    def _cancel(self, run: Run, *, force: bool) -> None:
        run.canceled = True
        if run.job.phase is Phase.RUNNING:
            self._begin_cancel(run)
        self._interrupt(run, EndReason.CANCELED, 0.0 if force else self._grace)
        run.stopping = Stopping.KILLED if force else Stopping.INTERRUPTED

    def _begin_cancel(self, run: Run) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if self.alive and result is Result.DONE and body is not None:
                self._see(parse_job(body))

        self._write(run.uid, status_patch.begin_cancel(run.job, self.wall), "BeginCancel", answered)

    def _abandon(self, run: Run) -> None:
        run.abandoned = True
        run.stopping = Stopping.INTERRUPTED
        self._interrupt(run, EndReason.CANCELED, self._grace)

    def _interrupt(self, run: Run, why: EndReason, kill_in: float) -> None:
        if not run.alive:
            return
        phase = Phase.CANCELED if why is EndReason.CANCELED else Phase.FAILED
        self._schedule.after(kill_in, self._exit, run, phase, why)
        if self._random.random() >= self._habits.deaf:
            self._schedule.after(self._random.expovariate(0.2), self._exit, run, phase, why)

    def _exit(self, run: Run, phase: Phase, why: EndReason) -> None:
        """The run's process ends, the first time that this is due."""
        if self.alive and run.alive:
            self._stop_process(run)
            self._end(run, phase, why)

    def _end(self, run: Run, phase: Phase, why: EndReason) -> None:
        run.ended = True
        run.outcome = Outcome(phase, why, f"The run ended: {why}.")
        self._changed()
        self._finish(run)

    def _stop_process(self, run: Run) -> None:
        if run.alive:
            run.alive = False
            self._invariants.process_ended(run)

    def _finish(self, run: Run) -> None:
        """Write the run's end, however long that takes; unless the job is over or not ours."""
        if not self.alive or run.outcome is None or self.runs.get(run.uid) is not run:
            return
        given = run.job.assignment
        is_mine = given is not None and (given.id, given.instance) == (run.assignment_id, self.instance)
        if run.abandoned or run.job.phase in TERMINAL or not is_mine:
            self._let_go(run)
            return

        def answered(result: Result, body: Body | None) -> None:
            if not self.alive:
                return
            if result is Result.GONE:
                self._let_go(run)
            elif result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._finish, run)
            elif body is not None:
                self._see(parse_job(body))
                self._finish(run)
            else:
                self._network.send(self, lambda: self._network.server.get(run.uid), answered)

        if run.outcome.phase is Phase.CANCELED and run.job.phase is Phase.RUNNING:
            self._write(run.uid, status_patch.begin_cancel(run.job, self.wall), "BeginCancel", answered)
        else:
            self._write(run.uid, status_patch.finish(run.job, run.outcome, self.wall), "Finish", answered)

    def _let_go(self, run: Run) -> None:
        self._stop_process(run)
        self.runs.pop(run.uid, None)
        self._changed()
        self._act()
        self._stop_when_drained()

    def _write(self, uid: str, patch: StatusPatch, what: str, answer: Answer) -> None:
        operations = patch.operations()
        self._network.send(self, lambda: self._network.server.patch_status(uid, operations, what), answer)
