"""Faults: crashes, partitions, drains, outages and dying controllers; at the end everything works again."""

from typing import TYPE_CHECKING, get_args

from provisioner_operator.core.daemons.decisions import CheckDaemon
from provisioner_operator.core.jobs.decisions import CheckJob
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.workspaces.decisions import ReadSource, WorkspaceDecision
from simulation.controller import SimulatedController
from simulation.daemons import SimulatedDaemon
from simulation.server import DAEMON, JOB, POD

if TYPE_CHECKING:
    from simulation.world import World


DENIABLE = sorted(
    kind.__name__
    for kind in get_args(JobReconcilerDecision | WorkspaceDecision)
    if kind not in {CheckJob, CheckDaemon, ReadSource}
)
"""The kinds of decisions that are writes."""


class Faults:
    """Random schedule of all faults, made at the beginning."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random = world.random
        self._over = False
        self.denied_until = float("-inf")
        """Time until which a policy refused some writes; infinity while it does."""
        if world.plan.calm:
            return
        kinds = [self._crash, self._partition, self._drain]
        kinds += [self._restart_controller, self._outage, self._cut_off, self._stall, self._forget_a_run]
        kinds += [world.pods.lose_a_node, self._deny, self._deny]
        if world.plan.standby:
            kinds += [self._fail_over] * 4
        for _ in range(self._random.randint(0, 8)):
            when = self._random.uniform(0, world.plan.seconds * 0.9)
            world.schedule.after(when, self._random.choice(kinds))

    def heal(self) -> None:
        """End all faults."""
        self._over = True
        self._world.network.failure_rate = 0.0
        self._end_outage()
        self._allow()
        for daemon in self._world.daemons.values():
            daemon.connected = daemon.alive and not daemon.outlawed
        for controller in self._world.controllers():
            self._reconnect_controller(controller)
            self._unstall(controller)

    def replace_later(self, name: str) -> None:
        """Replace a daemon whose object was deleted: its process is ended, then another daemon gets the name once it is free."""
        world = self._world
        old = world.daemons[name]

        def replace() -> None:
            old.die()
            if world.daemons[name] is not old:
                return
            if world.daemon_object(name) is None and world.server.is_whole:
                world.users.create_daemon(name)
            else:
                world.schedule.after(10.0, replace)

        world.schedule.after(world.plan.lost_after * self._random.uniform(0, 2), replace)

    def _crash(self) -> None:
        if not self._world.daemons:
            return
        name, daemon = self._pick_daemon()
        if daemon.alive:
            self._world.invariants.note(f"{daemon.instance} crashes")
            daemon.die()
            self._restart_later(name)

    def _partition(self) -> None:
        if not self._world.daemons:
            return
        _, daemon = self._pick_daemon()
        self._world.invariants.note(f"{daemon.instance} is cut off")
        daemon.connected = False
        self._world.schedule.after(self._some_time(), self._reconnect, daemon)

    def _reconnect(self, daemon: SimulatedDaemon) -> None:
        daemon.connected = daemon.alive and not daemon.outlawed

    def _drain(self) -> None:
        if not self._world.daemons:
            return
        name, daemon = self._pick_daemon()
        if daemon.alive:
            self._world.invariants.note(f"{daemon.instance} drains")
            daemon.drain(at_once=self._random.random() < 0.5)
            self._restart_when_dead(name, daemon)

    def _restart_when_dead(self, name: str, daemon: SimulatedDaemon) -> None:
        if daemon.alive:
            self._world.schedule.after(10.0, self._restart_when_dead, name, daemon)
        else:
            self._restart_later(name)

    def _restart_later(self, name: str) -> None:
        self._world.schedule.after(self._some_time(), self._restart, name)

    def _restart(self, name: str) -> None:
        # The container of a Pod is never restarted; another Pod takes its place.
        if not self._world.daemons[name].alive and not self._world.pods.is_pods(name):
            self._world.start_daemon(name)

    def _restart_controller(self) -> None:
        if self._world.controller is not None:
            self._world.invariants.note("the controller restarts")
            self._world.start_controller()

    def _fail_over(self) -> None:
        dies = self._random.random() < 0.5
        self._world.invariants.note(f"the leader {'dies' if dies else 'steps down'}")
        self._world.lose_leader(dies=dies)

    def _outage(self) -> None:
        self._world.invariants.note("the API server is down")
        self._world.network.up = False
        self._world.schedule.after(self._some_time(), self._end_outage)

    def _end_outage(self) -> None:
        if not self._world.network.up:
            self._world.invariants.note("the API server is back")
            self._world.network.up = True
            self._world.network.up_since = self._world.schedule.now

    def _deny(self) -> None:
        """Refuse some kinds of the controller's writes for a while, like a missing right or a policy."""
        kinds = self._random.sample(DENIABLE, self._random.randint(1, len(DENIABLE)))
        self._world.invariants.note(f"{', '.join(kinds)} are denied")
        self._world.network.denied.update(kinds)
        self.denied_until = float("inf")
        self._world.schedule.after(self._some_time(), self._allow)

    def _allow(self) -> None:
        if self._world.network.denied:
            self._world.invariants.note("nothing is denied any more")
            self._world.network.denied.clear()
            self.denied_until = self._world.schedule.now

    def _cut_off(self) -> None:
        controller = self._pick_controller()
        if controller is not None:
            self._world.invariants.note("the controller is cut off")
            controller.connected = False
            self._world.schedule.after(self._some_time(), self._reconnect_controller, controller)

    def _reconnect_controller(self, controller: SimulatedController) -> None:
        controller.connected = controller.alive

    def _forget_a_run(self) -> None:
        """Delete the job of a run and restart the controller, so that only the daemon still knows the run."""
        running = [body for body in self._world.server.unfinished_jobs() if "startedAt" in body["status"]]
        if running:
            self._world.server.delete(self._random.choice(running)["metadata"]["uid"])
            self._world.schedule.after(self._random.uniform(0.5, 10), self._restart_controller)

    def _stall(self) -> None:
        controller = self._pick_controller()
        if controller is not None:
            self._world.invariants.note("the controller's watch stalls")
            controller.feed.stall(*self._random.choice([(JOB,), (DAEMON,), (POD,), (JOB, DAEMON)]))
            self._world.schedule.after(self._some_time(), self._unstall, controller)

    def _unstall(self, controller: SimulatedController) -> None:
        controller.feed.stall()

    def _some_time(self) -> float:
        """Return a duration near the timeout for missed heartbeats, or much shorter or longer."""
        return (
            self._world.plan.lost_after
            * self._random.choice([0.05, 0.2, 0.9, 1.1, 2.0])
            * self._random.uniform(0.8, 1.2)
        )

    def _pick_controller(self) -> SimulatedController | None:
        controllers = self._world.controllers()
        return self._random.choice(controllers) if controllers else None

    def _pick_daemon(self) -> tuple[str, SimulatedDaemon]:
        return self._random.choice(sorted(self._world.daemons.items(), key=lambda item: item[0]))
