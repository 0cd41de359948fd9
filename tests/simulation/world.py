"""A whole cluster in virtual time, from a seed: a fleet, its jobs, what people do to them, and all that can go wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from provisioner_operator.core.model.backoff import LONGEST_PAUSE_SECONDS
from provisioner_operator.core.model.records import Daemon, Job
from simulation.audit import Audit
from simulation.controller import SimulatedController
from simulation.daemons import SimulatedDaemon
from simulation.environments import LONGEST_AUTOSTOP, Environments
from simulation.faults import Faults
from simulation.invariants import Invariants
from simulation.network import Network
from simulation.pods import Pods
from simulation.runs import Habits
from simulation.schedule import Schedule
from simulation.server import DAEMON, EPOCH, Body, Server
from simulation.users import Users, tag_sets

LONGEST_AFTERMATH = 4 * 3600.0
"""Every job must have ended this long after people and faults left off."""
AFTERTHOUGHTS_SECONDS = 140.0
"""For a resync, then for jobs whose time to live ends."""
QUIET_SECONDS = 60.0
"""For so long nothing may be decided any more, once all has ended: explanations and releases come up again sooner."""
LONGEST_VACANCY = 20.0
"""How long after one controller ceased to lead another does."""
BEATS_PER_LOSS = 12
"""Less than half as many heartbeats as real daemons send: they are most of what costs time here."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of one simulation."""

    calm: bool
    """Nothing goes wrong and nobody changes anything."""
    lost_after: int
    seconds: float
    """How long people and faults go on."""
    daemons: int
    jobs: int
    varied: bool
    """Whether daemons and jobs have different tags; otherwise everyone can run everything."""
    pods: float
    """The share of daemons that are Pods."""
    failure_rate: float
    habits: Habits
    standby: bool
    """Whether a second controller is there, to take over."""

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


class World:
    """Everything that one seed brings about."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.plan = Plan.of(self.random)
        self.schedule = Schedule()
        self.server = Server(lambda: EPOCH + self.schedule.now)
        self.invariants = Invariants(self.schedule, self.server)
        self.network = Network(self.schedule, self.random, self.server, self.plan.failure_rate)
        self.daemons: dict[str, SimulatedDaemon] = {}
        """The present process of each daemon, by name."""
        self.controller: SimulatedController | None = None
        """The one that leads; None while nobody does."""
        self.standbys: list[SimulatedController] = []
        self.fleet_changed_at = 0.0
        self.has_lost_daemons = False
        """Whether any daemon's object was ever deleted."""
        self._instances = 0
        self.server.listeners[DAEMON].append(self._note_fleet)
        self.pods = Pods(self, tag_sets(self.plan.varied))
        self.users = Users(self)
        self.environments = Environments(self)
        self.faults = Faults(self)
        self.start_controller()
        Audit(self)

    def run(self) -> None:
        """Run to the end of all jobs and beyond."""
        self.schedule.run_until(self.plan.seconds)
        self.users.leave()
        self.faults.heal()
        self._let_jobs_end()
        self.schedule.run_until(self.schedule.now + LONGEST_AUTOSTOP)
        self._let_jobs_end()
        is_whole = not self.has_lost_daemons and all(daemon.alive for daemon in self.daemons.values())
        silence = 0 if is_whole else self.plan.lost_after
        self.schedule.run_until(self.schedule.now + silence + AFTERTHOUGHTS_SECONDS)
        self.schedule.run_until(max(self.schedule.now, self.faults.denied_until + LONGEST_PAUSE_SECONDS))
        self.invariants.all_is_well()
        self.environments.all_is_well()
        before = self.invariants.decisions.total()
        self.schedule.run_until(self.schedule.now + QUIET_SECONDS)
        if self.invariants.decisions.total() != before:
            self.invariants.violated("nothing happens any more, and yet something is decided")

    def _let_jobs_end(self) -> None:
        end = self.schedule.now + LONGEST_AFTERMATH
        while self.server.live_jobs() and self.schedule.now < end:
            self.schedule.run_until(self.schedule.now + 60)

    def start_controller(self) -> None:
        if self.controller is not None:
            self.controller.die()
        self.controller = SimulatedController(self.network, self.random, self.invariants)
        if self.plan.standby and not self.standbys:
            self.start_standby()

    def start_standby(self) -> None:
        self.standbys.append(SimulatedController(self.network, self.random, self.invariants, leads=False))

    def lose_leader(self, *, dies: bool) -> None:
        """The controller leads no more: it dies, and another is started to stand by, or it stands by itself."""
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
        """The one that leads, if any does, and those that stand by."""
        return [*self.standbys, *([] if self.controller is None else [self.controller])]

    def _succeed(self) -> None:
        self.controller = self.standbys.pop(0)
        self.controller.lead()

    def start_daemon(self, name: str) -> None:
        """A new process for the daemon's object of that name; the former one is dead."""
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
        """Whether the daemon could take a job right now, by all that anybody can know."""
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
            and used < daemon.capacity
            and not process.runs
        )

    def _note_fleet(self, old: Body | None, new: Body | None) -> None:
        if old is None or new is None or _standing(old) != _standing(new):
            self.fleet_changed_at = self.schedule.now
            self.has_lost_daemons = self.has_lost_daemons or new is None


def _standing(body: Body) -> tuple[object, ...]:
    return (body["spec"], body["status"]["state"] in {"Offline", "Draining"}, body["status"].get("instance"))
