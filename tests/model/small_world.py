"""Small clusters of the simulator whose every step is chosen: messages, timers, faults and users' changes."""

from functools import partial
from typing import Any

from model.fingerprint import FIRST_VERSION, Walk
from model.identities import Identities
from model.naming import is_answer, is_request, process_of, what_of
from model.open_schedule import OpenSchedule, Pending
from model.process_faults import ProcessFaults, Steps
from model.scene import Middle, Scene, job_spec
from provisioner_operator.api.v1alpha1.enums import GroupField
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, QueuePolicy
from simulation.controller import SimulatedController
from simulation.faults import DENIABLE
from simulation.server import DAEMON, JOB, POD, POOL, is_terminal
from simulation.world import World
from support.json_patches import Body

QUIET_SECONDS = 90.0
"""Time without a decision after which a world with a workspace is over; more than a version is kept without use."""

WISHES: dict[str, Body] = {
    "cancel": {"cancel": True},
    "force": {"cancel": True, "cancelMode": "Force"},
    "stop": {"running": False},
    "resize": {"parameters": [{"name": "size", "value": "3"}]},
}
"""Changes that users make to the spec of a named object, and once each."""
POLICIES: dict[str, QueuePolicy | None] = {
    "limit": QueuePolicy(limits=(Limit("all", 1),)),
    "fair": QueuePolicy(Fairness(Grouping(GroupField.INITIATOR), 60)),
    "none": None,
}
"""Policies that administrators of the queue set, and once each."""


class SmallWorld(World):
    """A scene, from the moment at which its daemons are idle and its jobs are created."""

    def __init__(self, scene: Scene) -> None:
        self.steps = OpenSchedule()
        super().__init__(0, random=Middle(), plan=scene.plan(), schedule=self.steps)
        self.server._version = FIRST_VERSION  # noqa: SLF001 - a fingerprint recognizes versions by their size
        self._scene = scene
        self._identities = Identities(self.server)
        self._frozen: dict[int, tuple[object, list[Any]]] = {}
        self._names: dict[str, str] = {}
        self._titles: dict[Pending, str] = {}
        self._processes: dict[Pending, Any] = {}
        self._controllers: list[SimulatedController] = []
        self._process_faults = ProcessFaults(self, self._controller_name)
        self._offered: Steps | None = None
        """All that may happen now, until something does."""
        self._open_wishes = set(scene.wishes)
        self._decisions, self._decided_at = 0, self.steps.now
        self._actor: Any = None
        """Process of the last step; None if it was none of one process."""
        self._is_server_touched = True
        """Whether the last step may have changed an object of the server, or the time."""
        for listeners in self.server.listeners.values():
            listeners.append(self._name)
        self.server.listeners[POD].append(self._check_pool)
        self._populate(scene)
        # From here on anything may happen, whoever acted last.
        self._offered, self._actor, self._is_server_touched = None, None, True

    def _populate(self, scene: Scene) -> None:
        for number in range(1, scene.daemons + 1):
            name, kept = f"daemon-{number}", [RUNS_FINALIZER]
            self.server.create(DAEMON, f"daemon-uid-{number}", name, scene.daemon_spec(), finalizers=kept)
            self.start_daemon(name)
        self._settle()
        for _ in range(scene.pods):
            self.pods.create()
        for number, workspace in enumerate(scene.jobs, 1):
            self.server.create(JOB, f"job-uid-{number}", f"job-{number}", job_spec(workspace))
        if scene.pool is not None:
            self.server.create(POOL, "pool-uid", "pool", scene.pool_spec())
        if scene.workspace:
            self.workspace_users.create_template()
            self.workspace_users.create_workspace("dev", checks_drift=False)  # checks would go on for ever

    # --- the explorer's view ---

    def actions(self) -> list[str]:
        return [] if self.is_over else list(self._offers())

    def apply(self, name: str) -> None:
        offers = self._offers()
        if name not in offers:
            raise LookupError(f"{name!r} cannot happen here, but only: {', '.join(offers)}")
        self.invariants.note(f"> {name}")
        self._offered = None
        self._actor, self._is_server_touched = None, True
        offers[name]()
        self._run_loops()

    def fingerprint(self) -> int:
        walk = Walk(self._identities, self._frozen)
        self._walk(walk)
        return walk.digest(self.schedule.now)

    def check_end(self) -> None:
        self.invariants.check_end_state()
        self.workspace_users.check_end_state()
        if self._scene.pool is not None and len(self._working_pods()) != self._scene.pool:
            self.invariants.violated(f"the pool has {len(self._working_pods())} Pods at the end")

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing but the clock can go on."""
        return self.steps.may_tick and not self.steps.messages()

    @property
    def is_over(self) -> bool:
        """Whether all jobs have ended, and all processes know."""
        is_done = not self.server.unfinished_jobs() and not self.steps.messages()
        is_done = is_done and not any(daemon.alive and daemon.runs for daemon in self.daemons.values())
        return is_done and self._quiet_seconds() >= (QUIET_SECONDS if self._scene.goes_on else 0.0)

    def _quiet_seconds(self) -> float:
        """Return the time since the last decision, as far as it matters."""
        decisions = self.invariants.decisions.total()
        if decisions != self._decisions:
            self._decisions, self._decided_at = decisions, self.schedule.now
        return min(self.schedule.now - self._decided_at, QUIET_SECONDS)

    def _walk(self, walk: Walk) -> None:
        bodies = sorted(self.server.objects.values(), key=lambda body: (body["kind"], body["metadata"]["name"]))
        walk.sequence(bodies)
        walk.unordered(self._open_wishes)
        walk.visit(self._quiet_seconds())
        walk.visit(self.controller)
        walk.sequence(self.standbys)
        walk.sequence(self.daemons[name] for name in sorted(self.daemons))
        for pending in self.steps.pending:
            walk.visit(pending.action)
            walk.sequence(pending.arguments)
            walk.visit(pending.born if pending.is_message else pending.due)

    # --- all that may happen ---

    def _offers(self) -> Steps:
        if self._offered is None:
            self._offered = self._find_offers()
        return self._offered

    def _find_offers(self) -> Steps:
        steps: Steps = {}
        messages, timer = self.steps.messages(), self.steps.due_timer()
        for each in [*messages, *([] if timer is None else [timer])]:
            name = self._title(each)
            if name not in steps:
                steps[name] = partial(self._happen, each)
        if self.steps.may_tick:
            steps["time passes"] = self.steps.tick
        if messages:
            steps |= self._ways_to_fail(self._title(messages[0]), messages[0])
        if self._scene.slow_faults:
            steps |= self._process_faults.after_step_of(self._actor)
        for wish in sorted(self._open_wishes) if self._is_server_touched else ():
            steps[wish] = partial(self._fulfil, wish)
        return steps

    def _ways_to_fail(self, name: str, pending: Pending) -> Steps:
        if is_request(pending):
            found: Steps = {f"{name}, lost": lambda: self._without_network(pending)}
            if "attempt" in pending.arguments[1].__qualname__:  # type: ignore[attr-defined] # a write of the controller
                found[f"{name}, refused"] = lambda: self._refused(pending)
            return found
        if is_answer(pending) and pending.arguments[-2] is not None and "unreachable" not in name:
            return {f"{name}, lost": lambda: self._without_network(pending)}
        return {}

    def _happen(self, pending: Pending) -> None:
        self._actor, self._is_server_touched = self._process(pending), is_request(pending)
        self.steps.take(pending)
        pending.happen()

    def _without_network(self, pending: Pending) -> None:
        self.network.up = False
        self._happen(pending)
        self.network.up = True

    def _refused(self, pending: Pending) -> None:
        self.network.denied.update(DENIABLE)
        self._happen(pending)
        self.network.denied.clear()
        self.faults.denied_until = self.schedule.now

    def _fulfil(self, wish: str) -> None:
        self._open_wishes.discard(wish)
        verb, name = wish.split(" ")
        if verb == "policy":
            self.policies.put(POLICIES[name])
            return
        body = next((each for each in self.server.objects.values() if each["metadata"]["name"] == name), None)
        if body is None or (body["kind"] == JOB and is_terminal(body)):
            return
        uid = body["metadata"]["uid"]
        if verb == "purge":
            for job in self.server.unfinished_jobs():
                if (job["spec"].get("workspaceRef") or {}).get("uid") == uid:
                    self.server.delete(job["metadata"]["uid"])
        if verb in {"delete", "purge"}:
            self.server.delete(uid)
        else:
            self.server.edit(uid, **WISHES[verb])

    # --- inside ---

    def _title(self, pending: Pending) -> str:
        if pending not in self._titles:
            self._titles[pending] = self._describe(pending)
        return self._titles[pending]

    def _describe(self, pending: Pending) -> str:
        process = self._process(pending)
        who = getattr(process, "instance", None) or (
            "environment" if process is None else self._controller_name(process)
        )
        return f"{who}: {what_of(pending, self._names)}"

    def _controller_name(self, controller: SimulatedController) -> str:
        if controller not in self._controllers:
            self._controllers.append(controller)
        return f"controller-{self._controllers.index(controller) + 1}"

    def _run_loops(self) -> None:
        """Let the loops of controllers run, which decide right after they observed; drop what belongs to the dead."""
        while (loop := next((each for each in self.steps.pending if _is_loop(each)), None)) is not None:
            self.steps.take(loop)
            loop.happen()
        self.steps.pending = [each for each in self.steps.pending if not self._is_of_the_dead(each)]

    def _is_of_the_dead(self, pending: Pending) -> bool:
        process = self._process(pending)
        return process is not None and not process.alive

    def _process(self, pending: Pending) -> Any:
        if pending not in self._processes:
            self._processes[pending] = process_of(pending)
        return self._processes[pending]

    def _settle(self) -> None:
        """Let the usual happen until each daemon is idle and nothing is under way."""
        self._run_loops()
        while self.steps.messages() or any(
            body["status"]["state"] == "Offline" for body in self.server.of_kind(DAEMON)
        ):
            self.apply(next(iter(self._offers())))

    def _working_pods(self) -> list[Body]:
        return [body for body in self.server.of_kind(POD) if body["status"].get("phase") != "Failed"]

    def _check_pool(self, _: Body | None, __: Body | None) -> None:
        most = None if self._scene.pool is None else self._scene.pool + 1  # one more while it replaces a Pod
        if most is not None and len(self._working_pods()) > most:
            self.invariants.violated(f"the pool has {len(self._working_pods())} Pods")

    def _name(self, _: Body | None, new: Body | None) -> None:
        if new is not None:
            self._names[new["metadata"]["uid"]] = new["metadata"]["name"]


def _is_loop(pending: Pending) -> bool:
    return getattr(pending.action, "__func__", None) is SimulatedController._decide  # noqa: SLF001
