"""Execution of jobs by a simulated daemon: acknowledge, run, cancel, and write the end, as the product's duties require."""

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.daemons import duties
from provisioner_operator.core.daemons.duties import Abandon, Acknowledge, Disown, Stopping, StopRun
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.jobs.held_job import CANCELING_AFTER_SECONDS
from provisioner_operator.kube.parsing import parse_job
from simulation.assigned_jobs import AssignedJobs
from simulation.network import RETRY_SECONDS, Answer, Network, Result
from simulation.runs import Habits, Run
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.daemons import SimulatedDaemon
    from simulation.invariants import Invariants


class JobRunner:
    """Jobs that a daemon observes, and runs that it holds."""

    def __init__(
        self, daemon: "SimulatedDaemon", network: Network, random: Random, invariants: "Invariants", habits: Habits
    ) -> None:
        self.runs: dict[str, Run] = {}
        self._daemon = daemon
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._invariants = invariants
        self._habits = habits
        self._assigned = AssignedJobs(
            daemon, network, random, on_seen=self._see, on_change=self.act, on_restored=self._forget_versions
        )
        self._declined: dict[str, int] = {}
        """Versions of jobs that could not be taken; as with a real daemon, each is tried again only once it has changed."""

    @property
    def is_watching(self) -> bool:
        return self._assigned.is_watching

    def die(self) -> None:
        """Stop the runs of a dead daemon, as its guards do."""
        self._assigned.close()
        for run in self.runs.values():
            self._stop_process(run)

    def start_watching(self) -> None:
        self._assigned.start_watching()

    def end_watch(self, *, loses: bool, restored: bool) -> None:
        """End the watch of the jobs, with their definition or as etcd is restored."""
        self._assigned.end_watch(loses=loses, restored=restored)

    def _forget_versions(self) -> None:
        self._declined.clear()
        for run in self.runs.values():
            run.job = replace(run.job, resource_version=0)

    def _see(self, job: Job) -> None:
        if job.uid in self.runs:
            self.runs[job.uid].job = job

    def act(self) -> None:
        if not self._daemon.alive or not self.is_watching:
            return
        held = {uid: run.held() for uid, run in self.runs.items()}
        due = duties.duties(
            (job for job in self._assigned.jobs.values() if job.resource_version > self._declined.get(job.uid, -1)),
            held,
            daemon_uid=self._daemon.uid,
            instance=self._daemon.instance,
            capacity=self._daemon.capacity,
            draining=self._daemon.draining,
        )
        for each in due:
            match each:
                case Acknowledge(job):
                    self._acknowledge(job)
                case StopRun(job, force):
                    self._stop(self.runs[job.uid], job, force=force)
                case Abandon(uid):
                    self._abandon(self.runs[uid])
                case Disown(job):
                    self._disown(job)

    def _acknowledge(self, job: Job) -> None:
        if job.assignment is None:
            raise AssertionError("asked to acknowledge a job that is not assigned")
        run = self.runs[job.uid] = Run(job, job.assignment.id, self._daemon.capacity)
        if job.changed_workspace is not None and self._daemon.may_seem_at_rest:
            self._daemon.show(run)
        else:
            self._send_acknowledgment(run, job)

    def acknowledge_shown(self, run: Run) -> None:
        """Acknowledge the job of a run that a heartbeat has shown, unless it is no longer this daemon's."""
        if self.runs.get(run.uid) is not run:
            return
        if run.abandoned:
            self._let_go(run)
        else:
            self._send_acknowledgment(run, run.job)

    def _send_acknowledgment(self, run: Run, job: Job) -> None:
        def answered(result: Result, body: Body | None) -> None:
            if not self._daemon.alive or self.runs.get(job.uid) is not run:
                return
            if result is Result.DONE and body is not None:
                self._assigned.see(parse_job(body))
                self._start(run)
            elif result is Result.GONE:
                self._decline(run, job)
            else:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._was_acknowledged, run, job)

        self._write(
            job.uid, status_writes.acknowledge(job, self._daemon.instance, self._daemon.wall), "Acknowledge", answered
        )

    def _was_acknowledged(self, run: Run, job: Job) -> None:
        """Read the job after a lost or refused acknowledgment, and start the run if it was accepted."""

        def answered(result: Result, body: Body | None) -> None:
            if not self._daemon.alive or self.runs.get(run.uid) is not run:
                return
            if result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._was_acknowledged, run, job)
                return
            if body is not None:
                self._assigned.see(parse_job(body))
                given = run.job.assignment
                is_mine = given is not None and (given.id, given.instance) == (run.assignment_id, self._daemon.instance)
                if run.job.phase in STARTED and is_mine:
                    self._start(run)
                    return
            self._decline(run, job)

        self._network.send(self._daemon, lambda: self._network.server.get(run.uid), answered)

    def _start(self, run: Run) -> None:
        if run.stopping is not Stopping.NOT:
            phase = Phase.CANCELED if run.canceled or run.abandoned else Phase.FAILED
            self._end(run, phase, EndReason.CANCELED if phase is Phase.CANCELED else EndReason.DELETED)
            return
        if self._daemon.is_fenced:
            self._end(run, Phase.FAILED, EndReason.DAEMON_LOST)
            return
        run.alive = True
        self._invariants.process_started(self._daemon, run)
        takes = self._random.expovariate(1 / self._habits.run_seconds)
        phase = Phase.COMPLETED if self._random.random() < 0.8 else Phase.FAILED
        self._schedule.after(
            takes, self.exit, run, phase, EndReason.COMPLETED if phase is Phase.COMPLETED else EndReason.RUN_FAILED
        )
        self._daemon.changed()
        self.act()

    def _stop(self, run: Run, job: Job, *, force: bool) -> None:
        run.canceled = run.canceled or (job.cancel and run.stopping is Stopping.NOT)
        if job.cancel:
            self._schedule.after(CANCELING_AFTER_SECONDS, self._begin_cancel, run)
        why = EndReason.CANCELED if run.canceled else EndReason.DELETED
        self.interrupt(run, why, 0.0 if force else self._daemon.grace)
        run.stopping = Stopping.KILLED if force else Stopping.INTERRUPTED

    def _begin_cancel(self, run: Run) -> None:
        """Report that a canceled run takes its time to stop, if it does."""
        is_held = self._daemon.alive and self.runs.get(run.uid) is run and not run.ended
        if not is_held or run.job.phase is not Phase.RUNNING:
            return
        patch = status_writes.begin_cancel(run.job, self._daemon.wall)
        self._write(run.uid, patch, "BeginCancel", self._learn(run.uid))

    def _abandon(self, run: Run) -> None:
        run.abandoned = True
        run.stopping = Stopping.INTERRUPTED
        self.interrupt(run, EndReason.CANCELED, self._daemon.grace)

    def _learn(self, uid: str) -> Answer:
        """Return an answer that only observes the job as written."""

        def answered(result: Result, body: Body | None) -> None:
            if result is Result.DONE and body is not None:
                self._assigned.see(parse_job(body))
            elif result is Result.GONE:
                self._assigned.forget(uid)

        return answered

    def _disown(self, job: Job) -> None:
        """Fail a job that this process acknowledged but does not run, once for each observed version."""
        self._declined[job.uid] = job.resource_version
        outcome = Outcome(Phase.FAILED, EndReason.DAEMON_LOST, "The job was taken, but nothing runs it.")
        self._write(job.uid, status_writes.finish(job, outcome, self._daemon.wall), "Finish", self._learn(job.uid))

    def interrupt(self, run: Run, why: EndReason, kill_in: float) -> None:
        if not run.alive:
            return
        phase = Phase.CANCELED if why is EndReason.CANCELED else Phase.FAILED
        self._schedule.after(kill_in, self.exit, run, phase, why)
        if self._random.random() >= self._habits.deaf:
            self._schedule.after(self._random.expovariate(0.2), self.exit, run, phase, why)

    def exit(self, run: Run, phase: Phase, why: EndReason) -> None:
        """End the run's process, unless it has ended already."""
        if self._daemon.alive and run.alive:
            self._stop_process(run)
            if why is EndReason.RUN_FAILED and self._daemon.keeps_state_of(run):
                why = EndReason.STATE_UNSAVED
            self._end(run, phase, why)

    def _end(self, run: Run, phase: Phase, why: EndReason) -> None:
        run.ended = True
        if run.canceled and phase is Phase.CANCELED:
            self._invariants.stopped_by_cancel.add(run.uid)
        run.outcome = Outcome(phase, why, f"The run ended: {why}.")
        self._daemon.changed()
        self._finish(run)

    def _stop_process(self, run: Run) -> None:
        if run.alive:
            run.alive = False
            self._invariants.process_ended(run)

    def _finish(self, run: Run) -> None:
        """Write the run's end until it succeeds, unless the job has ended or belongs to another daemon."""
        if not self._daemon.alive or run.outcome is None or self.runs.get(run.uid) is not run:
            return
        given = run.job.assignment
        is_mine = given is not None and (given.id, given.instance) == (run.assignment_id, self._daemon.instance)
        if run.abandoned or run.job.phase in TERMINAL or not is_mine:
            self._let_go(run)
            return

        def answered(result: Result, body: Body | None) -> None:
            if not self._daemon.alive:
                return
            if result is Result.GONE:
                self._let_go(run)
            elif result is Result.UNREACHABLE:
                self._schedule.after(RETRY_SECONDS * self._random.random(), self._finish, run)
            elif body is not None:
                self._assigned.see(parse_job(body))
                self._finish(run)
            else:
                self._network.send(self._daemon, lambda: self._network.server.get(run.uid), answered)

        self._write(run.uid, status_writes.finish(run.job, run.outcome, self._daemon.wall), "Finish", answered)

    def _decline(self, run: Run, job: Job) -> None:
        """Let go of a run that could not be taken as this version of its job."""
        self._declined[job.uid] = job.resource_version
        self._let_go(run)

    def _let_go(self, run: Run) -> None:
        self._stop_process(run)
        self.runs.pop(run.uid, None)
        self._daemon.changed()
        self.act()
        self._daemon.stop_when_drained()

    def _write(self, uid: str, patch: JsonPatch, what: str, answer: Answer) -> None:
        operations = patch.operations()
        self._network.send(self._daemon, lambda: self._network.server.patch_status(uid, operations, what), answer)
