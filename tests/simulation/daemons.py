"""Provisioner daemon in virtual time: a process that sends heartbeats, and stops its own runs when they fail for too long."""

from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.core.jobs.timeouts import IDLE_FACTOR, interrupt_after, kill_after
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.daemon.reporting.pace import USUAL_REPORTS
from simulation.job_runner import JobRunner
from simulation.network import Network, Result
from simulation.runs import Habits, Run
from simulation.server import EPOCH
from support.json_patches import Body

if TYPE_CHECKING:
    from simulation.invariants import Invariants

UNSAVED_SECONDS = 120.0
"""Time for which a state that a run could not save is only on its daemon's disk."""
FEW = 4
"""One in so many failed runs leaves such a state: by its uid, so that no other event of a seed depends on it."""
SOONEST_HEARTBEAT = 2.0
"""Minimum seconds between heartbeats when a run starts or ends."""


class SimulatedDaemon:
    """One process of a daemon, from its start to its death; a restart is another process under the same name."""

    def __init__(
        self, uid: str, instance: str, network: Network, random: Random, invariants: "Invariants", habits: Habits
    ) -> None:
        self.uid = uid
        self.instance = instance
        self.connected = True
        self.outlawed = False
        """Whether its credentials are permanently invalid because its Pod is gone."""
        self.alive = True
        self.draining = False
        self.capacity = 1
        self._lost_after = 300.0
        self.grace = 180.0
        self._network = network
        self._schedule = network.schedule
        self._random = random
        self._habits = habits
        self._runner = JobRunner(self, network, random, invariants, habits)
        self._contact = self._schedule.now
        self._beat_sent = float("-inf")
        self._registered: str | None = None
        """Its instance, once the API server knows it."""
        self._beating = self._beat_soon = False
        self._is_modern = crc32(instance.encode()) % 100 < 100 * habits.modern
        self._idle_beats = 0
        """Heartbeats, one after the other, that listed nothing and succeeded."""
        self._announced = 0
        """Seconds until the next heartbeat, as the last one that succeeded announced."""
        self._has_failed = False
        """Whether the last heartbeat was lost."""
        self.may_seem_at_rest = False
        """Whether the server may show that it runs nothing and reports less often."""
        self._unshown: list[Run] = []
        """Runs that wait for a heartbeat which shows them, before their jobs are acknowledged."""
        self.unsaved: dict[str, Run] = {}
        """Runs that left a state which could not be saved yet."""
        self._invariants = invariants
        self._beat()

    @property
    def wall(self) -> float:
        """The clock of the daemon's machine."""
        return EPOCH + self._schedule.now + self._habits.clock_skew

    @property
    def runs(self) -> dict[str, Run]:
        """The runs that it holds, by job."""
        return self._runner.runs

    @property
    def processes(self) -> int:
        return sum(run.alive for run in self.runs.values())

    @property
    def is_fenced(self) -> bool:
        """Whether it has lost contact for so long that it must stop its runs."""
        return self._schedule.now - self._contact >= interrupt_after(self._lost_after)

    def heard(self, *, answered: bool) -> None:
        """Learn nothing: only heartbeats that succeed count."""

    def die(self) -> None:
        """End the process; its guards stop its runs."""
        if not self.alive:
            return
        self.alive = self.connected = False
        self._runner.die()

    def end_watch(self, *, loses: bool, restored: bool = False) -> None:
        """End the watch of its jobs, with their definition or as etcd is restored."""
        self._runner.end_watch(loses=loses, restored=restored)

    def drain(self, *, at_once: bool) -> None:
        """Accept no more jobs, end the runs if `at_once`, and stop after the last run."""
        self.draining = self._beat_soon = True
        self._heartbeat()
        for run in list(self.runs.values()) if at_once else ():
            self._runner.exit(run, Phase.FAILED, EndReason.DAEMON_SHUTDOWN)
        self.stop_when_drained()

    def stop_when_drained(self) -> None:
        """Stop after the last run if it is draining."""
        if self.alive and self.draining and not self.runs and not self.unsaved:
            self._beat_soon = True
            self._heartbeat()
            self._schedule.after(1.0, self.die)

    # --- states that could not be saved ---

    def keeps_state_of(self, run: Run) -> bool:
        """Return whether a failed run leaves a state that it could not save; it is saved later."""
        if run.job.changed_workspace is None or crc32(run.uid.encode()) % FEW:
            return False
        self.unsaved[run.uid] = run
        self._invariants.state_left(self, run)
        self._schedule.after(UNSAVED_SECONDS, self._save, run)
        return True

    def _save(self, run: Run) -> None:
        if self.alive and self.unsaved.pop(run.uid, None) is not None:
            self._invariants.state_saved(run)
            self.changed()
            self.stop_when_drained()

    # --- heartbeat and fence ---

    def _beat(self) -> None:
        if self.alive:
            every = self._habits.beat_every
            if self._has_failed or self._schedule.now - self._beat_sent >= self._announced - every / 2:
                self._heartbeat()
            self._schedule.after(every * self._random.uniform(0.9, 1.1), self._beat)

    def show(self, run: Run) -> None:
        """Have the run's job acknowledged once a heartbeat has shown it."""
        self._unshown.append(run)
        self._beat_soon = True
        self._heartbeat()

    def changed(self) -> None:
        """Report that a run started or ended, but not too often."""
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
        shown, self._unshown = self._unshown, []
        self._has_failed = False
        self.may_seem_at_rest = self.may_seem_at_rest or fields["idleHeartbeatSeconds"] > 0

        def answered(result: Result, body: Body | None) -> None:
            self._beating = False
            if result in (Result.GONE, Result.REFUSED):
                # Like a real daemon (TakenOverError): its object is gone or another's, so it stops its runs and exits.
                self.die()
                return
            if self.alive and result is Result.DONE and body is not None:
                self._contact = sent
                self._note_accepted(fields)
                self._take_in(body["spec"])
                for run in shown:
                    self._runner.acknowledge_shown(run)
            elif self.alive:
                self._has_failed = True
                self._unshown = shown + self._unshown
                if self._unshown:
                    self._schedule.after(SOONEST_HEARTBEAT, self._heartbeat)
            if self._beat_soon:
                self._heartbeat()

        server, registered = self._network.server, self._registered
        self._network.send(self, lambda: server.merge_status(self.uid, fields, instance=registered), answered)

    def _note_accepted(self, fields: Body) -> None:
        self._registered = self.instance
        self._announced = fields["idleHeartbeatSeconds"]
        self.may_seem_at_rest = self._announced > 0
        lists_nothing = fields["state"] == DaemonState.IDLE and not fields["unsavedStates"]
        # As far as it matters: the explorer of small worlds compares all that a daemon remembers.
        self._idle_beats = min(self._idle_beats + 1, USUAL_REPORTS) if lists_nothing else 0

    def _take_in(self, spec: Body) -> None:
        before = self.capacity
        self.capacity, self.grace = spec["capacity"], spec["cancelGraceSeconds"]
        self._lost_after = spec["lostAfterSeconds"]
        if not self._runner.is_watching:
            self._runner.start_watching()
            self._check_fence()
            self._runner.act()
        elif self.capacity != before:
            self._runner.act()

    def _report(self) -> Body:
        # A run is listed from before its acknowledgment is sent, so a heartbeat without it means that it has ended.
        runs = [run for run in self.runs.values() if not run.ended]
        state = DaemonState.BUSY if runs else DaemonState.IDLE
        if self.draining:
            state = DaemonState.DRAINING if self.runs or self.unsaved else DaemonState.OFFLINE
        is_quiet = state is DaemonState.IDLE and not self.unsaved and self._idle_beats >= USUAL_REPORTS - 1
        return {
            "idleHeartbeatSeconds": int(IDLE_FACTOR * self._habits.beat_every) if self._is_modern and is_quiet else 0,
            "state": state,
            "instance": self.instance,
            "lastHeartbeatTime": timestamp(self.wall),
            "lostAfterSeconds": int(self._lost_after),
            "conditions": [],  # those of a controller that missed its heartbeats are replaced
            "unsavedStates": [
                {
                    "workspace": run.job.workspace,
                    "job": run.job.name,
                    "jobUID": run.uid,
                    "since": timestamp(self.wall),
                    "message": "quota",
                }
                for run in self.unsaved.values()
            ],
            "currentJobs": [
                {
                    "name": run.job.name,
                    "uid": run.uid,
                    "workspace": run.job.changed_workspace,
                    "startedAt": timestamp(self.wall),
                }
                for run in runs
            ],
        }

    def _check_fence(self) -> None:
        """Stop all runs after too long without contact, before the controller declares the jobs lost."""
        if not self.alive:
            return
        since_contact = self._schedule.now - self._contact
        if since_contact < interrupt_after(self._lost_after):
            self._schedule.after(interrupt_after(self._lost_after) - since_contact + 0.01, self._check_fence)
            return
        for run in self.runs.values():
            self._fence(run)
        self._schedule.after(self._lost_after / 100, self._check_fence)

    def _fence(self, run: Run) -> None:
        if run.alive:
            kill_in = self._contact + kill_after(self._lost_after) - self._schedule.now
            self._runner.interrupt(run, EndReason.DAEMON_LOST, kill_in)
