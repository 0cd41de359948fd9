"""What must hold at every moment, whatever goes wrong. A violation raises, with the story so far."""

import re
from collections import Counter
from typing import NoReturn

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, Phase
from provisioner_operator.core.jobs.decisions import Assign, Expire
from provisioner_operator.core.jobs.ordering import workspace_key
from provisioner_operator.core.model.decision import Decision as AnyDecision
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.decisions import Decision
from provisioner_operator.core.workspaces.decisions import WorkspaceDecision
from provisioner_operator.kube.parsing import parse_job
from simulation.daemons import SimulatedDaemon
from simulation.runs import Run
from simulation.schedule import Schedule
from simulation.server import JOB, Body, Server, is_terminal

MOST_DENIALS = 80
"""In all of a simulation: with pauses that double, a few in each while; more only after changes of the object."""
LONGEST_SPIN = 20
"""How often in a row the loop may want to be woken at a moment that has passed."""
_LETTERS = {
    "Assign": "a",
    "Release": "r",
    "Suspend": "s",
    "Resume": "u",
    "Explain": "",
    "Acknowledge": "K",
    "BeginCancel": "b",
    "Finish": "F",
    "Fail": "X",
    "Cancel": "C",
}
_LEGAL_WRITES = re.compile(r"(a?[rsu]|s|u)*(a?[XC]?|aKb?[FXC]?)")
"""What may be written of one job, in order. A fault-free one is `aKF`."""


class ViolationError(AssertionError):
    """The core broke a promise."""


class Invariants:
    """Watches everything that starts, ends and is decided."""

    def __init__(self, schedule: Schedule, server: Server) -> None:
        self.decisions: Counter[str] = Counter()
        self.stopped_by_cancel: set[str] = set()
        self.story: list[str] = []
        self.changed_at: dict[str, float] = {}
        self._schedule = schedule
        self._server = server
        self._processes: dict[str, str | None] = {}
        """Each live process: its job's uid, and the workspace that it changes."""
        self._acknowledged: dict[str, list[tuple[str, str]]] = {}
        self._spinning = 0
        self._denials: Counter[tuple[str, str]] = Counter()
        server.listeners[JOB].append(self._changed)

    # --- processes ---

    def process_started(self, daemon: SimulatedDaemon, run: Run) -> None:
        job = run.job
        self.note(f"{daemon.instance} starts {job.name} of {job.workspace}")
        if job.uid in self._processes:
            self.violated(f"two processes run {job.name}")
        if job.workspace is not None and job.workspace in self._processes.values():
            self.violated(f"two processes change workspace {job.workspace}")
        if self._acknowledged.get(job.uid) != [(run.assignment_id, daemon.instance)]:
            self.violated(f"{job.name} starts without exactly its own accepted acknowledgement")
        if daemon.processes > run.capacity:
            self.violated(f"{daemon.instance} runs more than its capacity")
        self._processes[job.uid] = job.workspace

    def process_ended(self, run: Run) -> None:
        self.note(f"process of {run.job.name} ends")
        del self._processes[run.uid]

    # --- decisions ---

    def decided(self, decision: Decision, known: dict[str, int], ended: set[str]) -> None:
        """A controller decided, which knows these versions of jobs, and of these that they ended."""
        self.decisions[type(decision).__name__] += 1
        if decision.subject in ended and not isinstance(decision, Expire):
            self.violated(f"{type(decision).__name__} of {decision.subject}, which is known to have ended")
        if isinstance(decision, Assign):
            self.note(f"assign {decision.job.name} to {decision.daemon.name}")
            for earlier in self._waiting_before(decision.job):
                if known.get(earlier.uid) == earlier.resource_version:
                    self.violated(f"{decision.job.name} overtakes {earlier.name} of the same workspace")
        else:
            self.note(f"decide {type(decision).__name__} of {decision.subject}")

    def decided_about_workspace(self, decision: WorkspaceDecision) -> None:
        """A controller decided about a template or a workspace."""
        self.decisions[type(decision).__name__] += 1
        self.note(f"decide {type(decision).__name__} of {decision.display_name}")

    def denied(self, decision: AnyDecision) -> None:
        """The API server refused it: tried again and again, it must come ever more seldom."""
        kind = type(decision).__name__
        self.note(f"{kind} of {decision.display_name} is denied")
        self._denials[decision.subject, kind] += 1
        if self._denials[decision.subject, kind] > MOST_DENIALS:
            self.violated(f"{kind} of {decision.display_name} is tried in vain, again and again")

    def no_hot_loop(self, due: float) -> None:
        """The loop wants to be woken at `due`."""
        self._spinning = self._spinning + 1 if due <= self._schedule.now else 0
        if self._spinning > LONGEST_SPIN:
            self.violated("the loop spins: it wants to be woken at once, again and again")

    def _waiting_before(self, job: Job) -> list[Job]:
        """Jobs of the same workspace that go first, as the server has them."""
        if job.workspace is None:
            return []
        bodies = (
            body
            for body in self._server.live_jobs()
            if (body["spec"].get("workspaceRef") or {}).get("name") == job.workspace
        )
        others = (parse_job(body) for body in bodies)
        return [
            other
            for other in others
            if workspace_key(other) < workspace_key(job) and not other.suspend and not other.cancel
        ]

    # --- the server's objects ---

    def _changed(self, old: Body | None, new: Body | None) -> None:
        body = new or old or {}
        uid = body["metadata"]["uid"]
        self.changed_at[uid] = self._schedule.now
        if old is None or new is None:
            self.note(f"{body['metadata']['name']} {'created' if old is None else 'deleted'}")
            return
        was, is_now = old["status"]["phase"], new["status"]["phase"]
        if was != is_now:
            self.note(f"{body['metadata']['name']} {was} -> {is_now} {new['status'].get('reason', '')}")
        if uid in self._processes and self._is_given_up(new):
            self.violated(f"{body['metadata']['name']} was given up although its process lives")
        if was == Phase.PENDING and is_now == Phase.RUNNING:
            given = new["status"]["assignment"]
            self._acknowledged.setdefault(uid, []).append((given["id"], given["instance"]))
        if is_now == Phase.FAILED != was and old["spec"]["cancel"] and self._server.writes[uid][-1] == "Fail":
            self.violated(f"the controller failed {body['metadata']['name']}, which was canceled")

    @staticmethod
    def _is_given_up(body: Body) -> bool:
        """Whether the controller declared the job's daemon, and the run with it, gone."""
        reasons = {condition["reason"] for condition in body["status"].get("conditions", ())}
        return bool(reasons & {EndReason.DAEMON_LOST, CancelReason.DAEMON_GONE})

    # --- the end ---

    def all_is_well(self) -> None:
        """Once nothing happens any more: every job ended as it should, at the price that it should."""
        for body in self._server.of_kind(JOB):
            name, uid, status = body["metadata"]["name"], body["metadata"]["uid"], body["status"]
            if not is_terminal(body):
                self.violated(f"{name} never ends")
            if uid in self.stopped_by_cancel and status["phase"] == Phase.FAILED:
                self.violated(f"{name} was stopped by its cancel and yet Failed")
        for uid, writes in self._server.writes.items():
            letters = "".join(_LETTERS[write] for write in writes)
            if not _LEGAL_WRITES.fullmatch(letters):
                self.violated(f"job {uid} was written as {letters}")
        if self._processes:
            self.violated("a process never ends")

    def note(self, what: str) -> None:
        self.story.append(f"{self._schedule.now:10.2f} {what}")

    def violated(self, what: str) -> NoReturn:
        raise ViolationError("\n".join([*self.story[-60:], f"{self._schedule.now:10.2f} VIOLATION: {what}"]))
