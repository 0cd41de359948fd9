"""Invariants that must hold at every moment, whatever goes wrong. A violation raises an error with the events so far."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, Phase
from provisioner_operator.core.jobs.decisions import Assign, Expire, RecordGeneration
from provisioner_operator.core.jobs.ordering import creation_key
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.pools.decisions import PoolDecision
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.workspaces.decisions import WorkspaceDecision
from provisioner_operator.kube.parsing import parse_job
from simulation.daemons import SimulatedDaemon
from simulation.runs import Run
from simulation.schedule import Schedule
from simulation.server import JOB, Server, is_terminal
from support.json_patches import Body

MOST_DENIALS = 30
"""Maximum number of refusals of one write by one controller between two edits of its object: ten or so with doubling
pauses, and some more since its backoff also ends when something changes that it depends on.
"""
OVERLAP_SECONDS = 300.0
"""Time after a restore of etcd in which all runs end that it made outdated."""
LONGEST_SPIN = 20
"""Maximum number of consecutive wakes at a time that has passed."""
_LETTERS = {
    "Assign": "a",
    "Release": "r",
    "Withdraw": "w",
    "Suspend": "s",
    "Resume": "u",
    "Explain": "",
    "RecordGeneration": "",
    "Acknowledge": "K",
    "BeginCancel": "b",
    "Finish": "F",
    "Fail": "X",
    "Cancel": "C",
}
_LEGAL_WRITES = re.compile(r"(a?[rsuw]|s|u|w)*(a?[XC]?|aKb?[FXC]?)")
"""Legal sequences of status writes of one job; without faults it is `aKF`."""


class ViolationError(AssertionError):
    """Violation of an invariant by the core."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Copy of the part of the invariants that is about the database."""

    acknowledged: dict[str, list[tuple[str, str]]]
    stopped_by_cancel: set[str]


class Invariants:
    """Check of every process that starts or ends, and of every decision."""

    def __init__(self, schedule: Schedule, server: Server) -> None:
        self.decisions: Counter[str] = Counter()
        self.stopped_by_cancel: set[str] = set()
        self.story: list[str] = []
        self.changed_at: dict[str, float] = {}
        self._schedule = schedule
        self._server = server
        self._processes: dict[str, str | None] = {}
        """Workspace that each running process changes, by the uid of its job."""
        self._unsaved: dict[str, tuple[SimulatedDaemon, Run]] = {}
        """States that only a daemon has, by the uid of their job."""
        self._acknowledged: dict[str, list[tuple[str, str]]] = {}
        self._acknowledged_before: dict[str, list[tuple[str, str]]] = {}
        """Acknowledgments that the last restore of etcd took back: an answer that was under way may start its job all the same."""
        self._spinning = 0
        self._restored_at = float("-inf")
        self._former_instances: frozenset[str] = frozenset()
        self._assignments: set[str] = set()
        self._denials: Counter[tuple[object, str, str, int]] = Counter()
        """Number of refusals, by controller, subject, kind of decision, and generation of its object."""
        server.listeners[JOB].append(self._changed)

    def back_up(self) -> Memory:
        """Return a copy of what is known of the jobs in the database."""
        return Memory({uid: list(each) for uid, each in self._acknowledged.items()}, set(self.stopped_by_cancel))

    def restore(self, memory: Memory, instances: frozenset[str]) -> None:
        """Know what was known at the backup; which processes, of these instances, run does not go back with it."""
        self._restored_at, self._former_instances = self._schedule.now, instances
        self._assignments = {
            body["status"]["assignment"]["id"]
            for body in self._server.unfinished_jobs()
            if "assignment" in body["status"]
        }
        self._acknowledged_before = self._acknowledged
        self._acknowledged = {uid: list(each) for uid, each in memory.acknowledged.items()}
        # The daemon reports an end only once: one that the backup does not have is lost with it.
        self.stopped_by_cancel = memory.stopped_by_cancel - {
            job["metadata"]["uid"] for job in self._server.unfinished_jobs()
        }
        for uid in self._server.objects:
            self.changed_at[uid] = self._schedule.now

    # --- processes ---

    def process_started(self, daemon: SimulatedDaemon, run: Run) -> None:
        job = run.job
        self.note(f"{daemon.instance} starts {job.name} of {job.workspace}")
        is_beyond_knowledge = self._repeats_unknowingly(daemon, run)
        if job.uid in self._processes and not is_beyond_knowledge:
            self.violated(f"two processes run {job.name}")
        if (
            job.changed_workspace is not None
            and job.changed_workspace in self._processes.values()
            and not is_beyond_knowledge
        ):
            self.violated(f"two processes change workspace {job.changed_workspace}")
        if any(
            # A daemon that is dead, or has lost contact before it could report the state, holds up nothing.
            other.job.changed_workspace == job.changed_workspace and keeper.alive and not keeper.is_fenced
            for keeper, other in self._unsaved.values()
        ):
            self.violated(f"{job.name} starts although the state of workspace {job.workspace} is not saved")
        own = [(run.assignment_id, daemon.instance)]
        was_accepted = self._is_just_restored and self._acknowledged_before.get(job.uid) == own
        if self._acknowledged.get(job.uid) != own and not was_accepted:
            self.violated(f"{job.name} starts without exactly its own accepted acknowledgment")
        # The capacity may have grown, or shrunk, since the job was taken.
        if daemon.processes > max(run.capacity, daemon.capacity):
            self.violated(f"{daemon.instance} runs more than its capacity")
        self._processes[job.uid] = job.changed_workspace

    @property
    def _is_just_restored(self) -> bool:
        return self._schedule.now <= self._restored_at + OVERLAP_SECONDS

    def _repeats_unknowingly(self, daemon: SimulatedDaemon, run: Run) -> bool:
        """Return whether nothing could show the daemon or the controller, after a restore of etcd, that the job may run.

        So it is with a job outside workspaces, and with an assignment of the backup that a daemon's new process takes up.
        """
        if not self._is_just_restored:
            return False
        is_new_process = daemon.instance not in self._former_instances
        return run.job.changed_workspace is None or (is_new_process and run.assignment_id in self._assignments)

    def state_left(self, daemon: SimulatedDaemon, run: Run) -> None:
        self.note(f"{run.job.name} leaves an unsaved state of {run.job.workspace}")
        self._unsaved[run.uid] = daemon, run

    def state_saved(self, run: Run) -> None:
        self.note(f"the state of {run.job.name} is saved")
        del self._unsaved[run.uid]

    def process_ended(self, run: Run) -> None:
        self.note(f"process of {run.job.name} ends")
        self._processes.pop(run.uid, None)  # two of them may have been allowed

    # --- decisions ---

    def decided(self, decision: JobReconcilerDecision, known: dict[str, int], ended: set[str]) -> None:
        """Check a decision of a controller that knows these versions of jobs, and that these jobs have ended."""
        self.decisions[type(decision).__name__] += 1
        if decision.subject in ended and not isinstance(decision, Expire | RecordGeneration):
            self.violated(f"{type(decision).__name__} of {decision.subject}, which is known to have ended")
        if isinstance(decision, Assign):
            self.note(f"assign {decision.job.name} to {decision.daemon.name}")
            for earlier in self._waiting_before(decision.job):
                if known.get(earlier.uid) == earlier.resource_version:
                    self.violated(f"{decision.job.name} overtakes {earlier.name} of the same workspace")
        else:
            self.note(f"decide {type(decision).__name__} of {decision.subject}")

    def decided_about_workspace(self, decision: WorkspaceDecision) -> None:
        """Record a controller's decision about a template or a workspace."""
        self.decisions[type(decision).__name__] += 1
        self.note(f"decide {type(decision).__name__} of {decision.display_name}")

    def decided_about_pool(self, decision: PoolDecision) -> None:
        """Record a controller's decision about a pool."""
        self.decisions[type(decision).__name__] += 1
        self.note(f"decide {type(decision).__name__} of {decision.display_name}")

    def denied(self, decision: Decision, controller: object) -> None:
        """Check that a controller repeats a refused decision less and less often, until a user edits the object."""
        kind = type(decision).__name__
        self.note(f"{kind} of {decision.display_name} is denied")
        # An edit may remove the cause, so it ends the backoff; a user who edits every ten seconds gets as many attempts.
        body = self._server.objects.get(decision.regarding.uid)
        generation = body["metadata"]["generation"] if body is not None else 0
        refusals = (controller, decision.subject, kind, generation)
        self._denials[refusals] += 1
        if self._denials[refusals] > MOST_DENIALS:
            self.violated(f"{kind} of {decision.display_name} is refused and repeated too often")

    def no_hot_loop(self, due: float) -> None:
        """Check that the loop does not spin; it asks to be woken at `due`."""
        self._spinning = self._spinning + 1 if due <= self._schedule.now else 0
        if self._spinning > LONGEST_SPIN:
            self.violated("the loop spins: it asks to be woken immediately, again and again")

    def _waiting_before(self, job: Job) -> list[Job]:
        """Return the jobs of the same workspace that come before it, as the server has them."""
        if job.changed_workspace is None:
            return []
        others = (parse_job(body) for body in self._server.unfinished_jobs())
        return [
            other
            for other in others
            if other.changed_workspace == job.changed_workspace
            and creation_key(other) < creation_key(job)
            and not (other.suspend or other.cancel or other.deleting)
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
        if uid in self._processes and self._is_declared_lost(new):
            self.violated(f"{body['metadata']['name']} was declared lost although its process runs")
        if was == Phase.PENDING and is_now == Phase.RUNNING:
            if "deletionTimestamp" in old["metadata"]:
                self.violated(f"{body['metadata']['name']} starts although it is being deleted")
            given = new["status"]["assignment"]
            self._acknowledged.setdefault(uid, []).append((given["id"], given["instance"]))
        if is_now == Phase.FAILED != was and old["spec"]["cancel"] and self._server.writes[uid][-1] == "Fail":
            self.violated(f"the controller failed {body['metadata']['name']}, which was canceled")

    @staticmethod
    def _is_declared_lost(body: Body) -> bool:
        """Return whether the controller declared the job's daemon, and so its run, lost."""
        reasons = {condition["reason"] for condition in body["status"].get("conditions", ())}
        return bool(reasons & {EndReason.DAEMON_LOST, CancelReason.DAEMON_GONE})

    # --- the end ---

    def check_end_state(self) -> None:
        """Check, once nothing happens any more, that each job ended correctly and with a legal sequence of writes."""
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
