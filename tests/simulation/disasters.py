"""Disasters of the whole cluster: definitions deleted and applied again, and etcd restored from a backup.

Drawn from a random source of their own, so that all other events of a seed are the same without them.

After a restore, the database does not know what happened since the backup, so the following cannot be expected, and is not
checked: that a job whose start is not in the backup runs only once; that a cancel or a deletion since then has an effect; that the
number of a build is not used again; that resources which nothing records are destroyed. Two runs at once are possible of a job
outside workspaces, since a new controller waits for the daemons' reports only before it assigns builds, and where a new process
of a daemon takes up an assignment of the backup, which looks like any other. All else holds: no two runs at once of a job or
of a workspace, no run beyond its daemon's capacity, no job declared lost while it runs, and all jobs that exist end.
"""

from random import Random
from typing import TYPE_CHECKING, Any

from simulation.controller import SimulatedController
from simulation.network import RETRY_SECONDS
from simulation.server import DAEMON, JOB, POOL, TEMPLATE, WORKSPACE

if TYPE_CHECKING:
    from simulation.world import World

DEFINED = (JOB, DAEMON, TEMPLATE, WORKSPACE, POOL)
"""Kinds of the product."""
SOME_KINDS = (*[DEFINED] * 3, (JOB,), (DAEMON,), (TEMPLATE, WORKSPACE), (WORKSPACE,), (POOL,))
"""Kinds that are deleted together; the definition of templates alone could not end while workspaces use them."""
CHANCE = 0.15
"""Share of the seeds that have each of the disasters."""
APPLY_SECONDS = 10.0
"""Time between two attempts to apply the definitions, which fail while objects hold up their deletion."""
NOTICE_SECONDS = 5.0
"""Longest time after which a broken watch is resumed, and shows that versions went back."""
LOOK_SECONDS = 10.0
"""Time between two looks of what keeps daemons outside Pods running."""


class Disasters:
    """The disaster of a seed, if it has one."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self.over_since = 0.0
        """Time of the last restore, or at which the last definition was there again."""
        self.undefined_until = float("-inf")
        """Time until which creations were refused for a missing definition."""
        self._lost_kinds: tuple[str, ...] = ()
        if world.plan.calm:
            return
        begins = random.uniform(0, world.plan.seconds * 0.9)
        match random.random():
            case chance if chance < CHANCE:
                world.schedule.after(begins, self._delete_definitions)
            case chance if chance < 2 * CHANCE:
                world.schedule.after(begins * random.random(), self._back_up, begins)
            case _:
                pass

    # --- definitions ---

    def _delete_definitions(self) -> None:
        """Delete definitions with all their objects, as a mistaken `kubectl delete -f crds` does."""
        kinds = self._random.choice(SOME_KINDS)
        self._world.invariants.note(f"the definitions of {', '.join(kinds)} are deleted")
        self._lost_kinds = kinds
        for kind in kinds:
            self._world.server.delete_definition(kind)
        for kind in kinds:
            self._await_end(kind)
        wait = self._random.choice([1.0, 30.0, 0.5 * self._world.plan.lost_after, 1.5 * self._world.plan.lost_after])
        self._world.schedule.after(wait * self._random.uniform(0.5, 1.5), self._apply)

    def _await_end(self, kind: str) -> None:
        """End the watches of a kind once its definition is gone; without that of pools, the controllers end."""
        server = self._world.server
        if kind in server.terminating:
            self._world.schedule.after(0.1, self._await_end, kind)
            return
        self._world.invariants.note(f"the definition of {kind} is gone")
        for controller in self._world.controllers():
            controller.feed.end_watch(kind, loses=self._random.random() < 0.5)
        if kind == JOB:
            for daemon in self._world.daemons.values():
                daemon.end_watch(loses=self._random.random() < 0.5)
        if kind == POOL:
            self._world.schedule.after(self._random.uniform(0, NOTICE_SECONDS), self._world.restart_controllers)

    def _apply(self) -> None:
        """Make the definitions again that are gone, until all are there and their objects' owners have applied them again."""
        server = self._world.server
        for kind in self._lost_kinds:
            if kind in server.undefined:
                self._world.invariants.note(f"the definition of {kind} is made again")
                server.undefined.discard(kind)
        if not server.is_whole:
            self._world.workspace_users.follow_advice()
            self._world.schedule.after(APPLY_SECONDS, self._apply)
            return
        self.over_since = self.undefined_until = self._world.schedule.now
        self._world.workspace_users.create_template_again()
        self._keep_daemons_running()

    # --- backups ---

    def _back_up(self, restored_at: float) -> None:
        world = self._world
        world.invariants.note("etcd is backed up")
        backup = world.server.back_up(), world.invariants.back_up(), world.workspace_users.back_up()
        world.schedule.after(restored_at - world.schedule.now, self._restore, *backup)

    def _restore(self, database: Any, memory: Any, jobs: Any) -> None:
        """Bring the backup back: all connections break, and each watch is resumed soon, which shows it."""
        world = self._world
        world.invariants.note("etcd is restored")
        before = world.server.objects
        world.network.break_connections()
        world.server.restore(database)
        world.invariants.restore(memory, frozenset(each.instance for each in world.daemons.values()))
        world.workspace_users.restore(jobs)
        world.pods.restore(before)
        world.users.finalize_all()
        self.over_since = world.schedule.now
        world.has_lost_daemons = True
        notices = self._random.uniform(0, NOTICE_SECONDS)
        for controller in reversed(world.controllers()):
            controller.feed.cut()
            world.schedule.after(notices, self._notice, controller)
        for daemon in world.daemons.values():
            daemon.end_watch(loses=True, restored=True)
        self._keep_daemons_running()

    def _notice(self, controller: SimulatedController) -> None:
        """Have a controller that lived through the restore record it, as soon as it has contact, and start anew."""
        world = self._world
        if not controller.alive:
            return
        if not (world.network.up and controller.connected):
            world.schedule.after(RETRY_SECONDS, self._notice, controller)
            return
        controller.record_restore()
        world.restart_controller(controller)

    # --- daemons outside Pods ---

    def _keep_daemons_running(self) -> None:
        """Start daemons that have ended since their objects are gone or another process's, as systemd does."""
        for name in sorted(self._world.daemons):
            if not self._world.pods.is_pods(name):
                self._world.schedule.after(LOOK_SECONDS * self._random.random(), self._keep_running, name, 60)

    def _keep_running(self, name: str, looks: int) -> None:
        world = self._world
        body = world.daemon_object(name)
        if not world.daemons[name].alive:
            if body is None:
                world.users.create_daemon(name)
            elif "deletionTimestamp" not in body["metadata"]:
                world.start_daemon(name)
        if looks:
            world.schedule.after(LOOK_SECONDS, self._keep_running, name, looks - 1)
