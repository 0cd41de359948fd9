"""Whole cluster in virtual time, generated from a seed: daemons, jobs, users and faults."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random

from provisioner_operator.core.model.backoff import LONGEST_PAUSE_SECONDS
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.workspaces.retry import LONGEST_RETRY_SECONDS
from simulation.audit import Audit
from simulation.controller import SimulatedController
from simulation.daemons import SimulatedDaemon
from simulation.disasters import Disasters
from simulation.faults import Faults
from simulation.invariants import Invariants
from simulation.network import Network
from simulation.people.policies import Policies
from simulation.people.users import Users, tag_sets
from simulation.pods import Pods
from simulation.runs import Habits
from simulation.schedule import Schedule
from simulation.server import DAEMON, EPOCH, Server
from simulation.workspace_users import LONGEST_AUTOSTOP, WorkspaceUsers
from support.json_patches import Body

LONGEST_AFTERMATH = 4 * 3600.0
"""Seconds after the last change or fault until all jobs must have ended."""
AFTERTHOUGHTS_SECONDS = 140.0
"""Seconds for a resync, then for jobs whose time to live ends."""
QUIET_SECONDS = 60.0
"""Seconds at the end without any decision; a repeated explanation or release would come sooner."""
LONGEST_VACANCY = 20.0
"""Maximum seconds without a leader."""
BEATS_PER_LOSS = 12
"""Heartbeats until a daemon is lost; less than half of a real daemon's, because they take most of the simulation's time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of one simulation."""

    calm: bool
    """Whether there are neither faults nor changes."""
    lost_after: int
    seconds: float
    """Duration of changes and faults."""
    daemons: int
    jobs: int
    varied: bool
    """Whether daemons and jobs have different tags; otherwise each daemon can run each job."""
    pods: float
    """The share of daemons that are Pods."""
    failure_rate: float
    habits: Habits
    standby: bool
    """Whether a second controller runs as standby."""

    @classmethod
    def of(cls, random: Random) -> "Plan":
        calm = random.random() < 0.15
        lost_after = random.choice([10, *[30] * 3, *[300] * 16])
        return cls(
            calm=calm,
            lost_after=lost_after,
            seconds=2.0 * lost_after + 150,
            daemons=random.randint(1, 4) if lost_after > 10 else random.randint(1, 2),
            jobs=random.randint(6, 16),
            varied=random.random() < 0.6,
            pods=random.choice([0.0, 0.0, 0.5, 1.0]),
            failure_rate=0.0 if calm else random.choice([0.0, 0.02, 0.08]),
            habits=Habits(
                beat_every=lost_after / BEATS_PER_LOSS,
                run_seconds=random.choice([5.0, 30.0, 120.0]),
                deaf=random.choice([0.0, 0.3, 1.0]),
                clock_skew=random.uniform(-3, 3),
            ),
            standby=random.random() < 0.3,
        )

    def with_modern_daemons(self, random: Random) -> "Plan":
        return replace(self, habits=replace(self.habits, modern=random.choice([0.0, 0.5, 1.0, 1.0])))


class World:
    """Simulated cluster of one seed."""

    def __init__(
        self, seed: int, *, random: Random | None = None, plan: Plan | None = None, schedule: Schedule | None = None
    ) -> None:
        """Generate all that is not given from the seed."""
        self.random = random or Random(seed)
        self.plan = plan or Plan.of(self.random).with_modern_daemons(Random(f"daemons of {seed}"))
        self.schedule = schedule or Schedule()
        self.server = Server(lambda: EPOCH + self.schedule.now)
        self.invariants = Invariants(self.schedule, self.server)
        self.network = Network(self.schedule, self.random, self.server, self.plan.failure_rate, is_calm=self.plan.calm)
        self.daemons: dict[str, SimulatedDaemon] = {}
        """The current process of each daemon, by name."""
        self.controller: SimulatedController | None = None
        """The leader; None while there is none."""
        self.standbys: list[SimulatedController] = []
        self.fleet_changed_at = 0.0
        self.has_lost_daemons = False
        """Whether any daemon's object was ever deleted."""
        self._instances = 0
        self.server.listeners[DAEMON].append(self._note_fleet)
        self.pods = Pods(self, tag_sets(self.plan.varied))
        self.users = Users(self)
        self.workspace_users = WorkspaceUsers(self)
        self.faults = Faults(self)
        self.disasters = Disasters(self, Random(f"disasters of {seed}"))
        self.policies = Policies(self, Random(f"policies of {seed}"))
        self.start_controller()
        Audit(self)

    def run(self) -> None:
        """Run until all jobs have ended and the cluster is quiet."""
        self.schedule.run_until(self.plan.seconds)
        self.users.leave()
        self.policies.leave()
        self.faults.heal()
        self._await(lambda: self.server.is_whole)
        self.workspace_users.leave()
        # What was denied until the end is tried again within the longest pause, and may begin a job.
        denied_until = max(self.faults.denied_until, self.disasters.undefined_until)
        self.schedule.run_until(max(self.schedule.now, denied_until + LONGEST_PAUSE_SECONDS))
        self._await_job_ends()
        self.schedule.run_until(self.schedule.now + LONGEST_AUTOSTOP)
        self._await_job_ends()
        if self.workspace_users.are_waiting_for_a_retry():
            self.users.create_daemon(tags={})
            self.schedule.run_until(self.schedule.now + LONGEST_RETRY_SECONDS)
            self._await_job_ends()
        if not self.server.is_whole:
            self.invariants.violated(f"definitions never come back: {self.server.terminating | self.server.undefined}")
        is_whole = not self.has_lost_daemons and all(daemon.alive for daemon in self.daemons.values())
        # A Pod of a lost node may be replaced only once its process is over.
        lost_after = 0 if is_whole else 2 * self.plan.lost_after
        self.schedule.run_until(self.schedule.now + lost_after + AFTERTHOUGHTS_SECONDS)
        self.invariants.check_end_state()
        self.policies.check_end_state()
        self.workspace_users.check_end_state()
        before = self._lasting_decisions()
        self.schedule.run_until(self.schedule.now + QUIET_SECONDS)
        if self._lasting_decisions() != before:
            self.invariants.violated("a decision although nothing happens any more")

    def _lasting_decisions(self) -> int:
        """Count the decisions that could come again; the last check for drift expires once, some minutes after its end."""
        return self.invariants.decisions.total() - self.invariants.decisions["Expire"]

    def _await_job_ends(self) -> None:
        self._await(lambda: self.server.is_whole and not self.server.unfinished_jobs())

    def _await(self, is_so: Callable[[], bool]) -> None:
        end = self.schedule.now + LONGEST_AFTERMATH
        while not is_so() and self.schedule.now < end:
            self.schedule.run_until(self.schedule.now + 60)

    def start_controller(self) -> None:
        if self.controller is not None:
            self.controller.die()
        self.controller = SimulatedController(self.network, self.random, self.invariants, self.policies)
        if self.plan.standby and not self.standbys:
            self.start_standby()

    def restart_controllers(self) -> None:
        """Start each controller's process anew."""
        for each in reversed(self.controllers()):
            self.restart_controller(each)

    def restart_controller(self, controller: SimulatedController) -> None:
        """Start a controller's process anew, with empty caches; if it leads, it goes on leading."""
        if controller is self.controller:
            self.start_controller()
        elif controller in self.standbys:
            controller.die()
            self.standbys.remove(controller)
            self.start_standby()

    def start_standby(self) -> None:
        self.standbys.append(
            SimulatedController(self.network, self.random, self.invariants, self.policies, leads=False)
        )

    def lose_leader(self, *, dies: bool) -> None:
        """End the leader's term: it dies, and another standby is started, or it becomes a standby itself."""
        if self.controller is None:
            return
        former, self.controller = self.controller, None
        former.leads = False
        if dies:
            former.die()
            self.start_standby()
        else:
            self.standbys.append(former)
        self.schedule.after(self.random.uniform(0, LONGEST_VACANCY), self._succeed)

    def controllers(self) -> list[SimulatedController]:
        """Return the standbys, and the leader if there is one."""
        return [*self.standbys, *([] if self.controller is None else [self.controller])]

    def _succeed(self) -> None:
        self.controller = self.standbys.pop(0)
        self.controller.lead()

    def start_daemon(self, name: str) -> None:
        """Start a new process for the daemon of that name, whose former process is dead."""
        body = self.daemon_object(name)
        if body is None:
            return
        self._instances += 1
        instance = f"{name}-process-{self._instances}"
        self.daemons[name] = SimulatedDaemon(
            body["metadata"]["uid"], instance, self.network, self.random, self.invariants, self.plan.habits
        )

    def daemon_object(self, name: str) -> Body | None:
        found = (body for body in self.server.of_kind(DAEMON) if body["metadata"]["name"] == name)
        return next(found, None)

    def is_instance_alive(self, instance: str | None) -> bool:
        return any(daemon.alive and daemon.instance == instance for daemon in self.daemons.values())

    def is_ready(self, daemon: Daemon, jobs: Iterable[Job]) -> bool:
        """Return whether the daemon could accept a job now, by the true state of the cluster."""
        process = self.daemons.get(daemon.name)
        used = sum(job.assignment is not None and job.assignment.daemon_uid == daemon.uid for job in jobs)
        return (
            process is not None
            and process.alive
            and process.connected
            and not process.draining
            and process.uid == daemon.uid
            and self.pods.admits_work(daemon)
            and not daemon.cordoned
            and not daemon.deleting
            and used < daemon.capacity
            and not process.runs
        )

    def _note_fleet(self, old: Body | None, new: Body | None) -> None:
        if old is None or new is None or _availability(old) != _availability(new):
            self.fleet_changed_at = self.schedule.now
            is_leaving = new is None or "deletionTimestamp" in new["metadata"]
            self.has_lost_daemons = self.has_lost_daemons or is_leaving
        if old is not None and new is None:
            process = self.daemons.get(old["metadata"]["name"])
            if process is not None and process.uid == old["metadata"]["uid"] and process.processes:
                self.invariants.violated(f"the object of {process.instance} is gone although it runs a process")


def _availability(body: Body) -> tuple[object, ...]:
    is_away = body["status"]["state"] in {"Offline", "Draining"} or "deletionTimestamp" in body["metadata"]
    return (body["spec"], is_away, body["status"].get("instance"))
