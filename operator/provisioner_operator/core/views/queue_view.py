"""Answer questions about the queue, by the controller's own rules, from whatever knows the jobs, daemons and pools.

A daemon counts as online by the state and the time of its last heartbeat; the controller, which observes each heartbeat
and the daemons' Pods, can be a little ahead. `snapshot` is built once from lists, `live_queue` follows each change. Pure.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.matching import Demand, satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import (
    STUCK,
    Explanation,
    awaits_reports,
    explain_busy_workspace,
    explain_limit,
    explain_unsaved_state,
)
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.scheduling.workspace_queue import workspace_of


@dataclass(frozen=True, slots=True)
class Place:
    """A job's position in the queue of its demand, counted from 1, and the length of that queue."""

    position: int
    size: int

    @override
    def __str__(self) -> str:
        return f"{self.position}/{self.size}"


class QueueView(ABC):
    """Jobs, daemons and pools at the time `now` (seconds since the epoch, by the server's clock)."""

    now: float

    # --- what is known ---

    @property
    @abstractmethod
    def jobs(self) -> Mapping[str, Job]:
        """The unfinished jobs by uid."""

    @property
    @abstractmethod
    def queues(self) -> Mapping[Demand, Sequence[Job]]:
        """The queue of each demand: jobs that wait for nothing but a daemon or a limit, by priority and age; for their places, see `place_of`."""

    @property
    @abstractmethod
    def placement(self) -> Placement:
        """Slots and workspaces that are occupied."""

    @property
    @abstractmethod
    def policies(self) -> PolicyQueues:
        """Policies of the namespaces, with the slots and the past use that they count."""

    @abstractmethod
    def place_of(self, uid: str) -> Place | None:
        """Return the job's place; None if it is suspended, or waits for its workspace, or does not wait at all."""

    @abstractmethod
    def candidates(self, namespace: str) -> Sequence[Candidate]:
        """Return the daemons of the namespace with their availability for a new job."""

    @abstractmethod
    def pools_in(self, namespace: str) -> Sequence[Pool]:
        """Return the pools of the namespace."""

    @abstractmethod
    def explain(self, demand: Demand) -> Explanation | None:
        """Return why jobs of this demand wait; None if a daemon is ready to run one."""

    @abstractmethod
    def daemon(self, uid: str) -> Daemon | None:
        """Return the daemon of this uid; None if there is none."""

    # --- what follows from it ---

    def busy(self, job: Job) -> Explanation | None:
        """Explain why it is not the turn of a job that may start in its workspace; None if it is."""
        if not self.placement.is_turn_of(job):
            keeper = self.daemon(self.placement.keeper_of(workspace_of(job)) or "")
            state = None if keeper is None else keeper.unsaved_state_of(job.workspace or "")
            if keeper is not None and state is not None:
                return explain_unsaved_state(state, keeper.name)
            blocker = self.jobs.get(self.placement.blocker_of(job) or "")
            return explain_busy_workspace(job.workspace, None if blocker is None else blocker.name)
        # What the controller has not heard yet, nobody else knows.
        return Explanation(PendingReason.WORKSPACE_BUSY, job.message or "", ()) if awaits_reports(job) else None

    def held(self, job: Job) -> Explanation | None:
        """Explain which limit of its namespace's policy holds up a job whose turn it is in its workspace; None if none does."""
        queue = self.policies.of(job.namespace)
        limit = None if queue is None else queue.limit_of(job)
        return None if queue is None or limit is None else explain_limit(queue, limit)

    def waits_for(self, job: Job) -> Explanation | None:
        """Explain what a job that may start waits for; None if a daemon is ready for it."""
        if (busy := self.busy(job)) is not None:
            return busy
        explanation = self.explain(job.demand)
        # A limit is no news where nobody could run the job anyway.
        is_stuck = explanation is not None and explanation.reason in STUCK
        return explanation if is_stuck else self.held(job) or explanation

    def used(self, daemon: Daemon) -> int:
        """Count the occupied slots of the daemon."""
        return self.placement.used(daemon.uid)

    def is_online(self, daemon: Daemon) -> bool:
        """Return whether the daemon accepts jobs by its last heartbeat, and that is recent."""
        until = online_until(daemon)
        return until is not None and self.now < until

    def reports(self, daemon: Daemon) -> bool:
        """Return whether the daemon runs, by its last heartbeat, and that is recent."""
        if daemon.state is DaemonState.OFFLINE:
            return False
        age = heartbeat_age(daemon, self.now)
        return age is not None and age < offline_after(daemon.lost_after, daemon.idle_interval)

    def reason_of(self, job: Job) -> str:
        """Return the reason of a pending job; empty if it is about to start or not pending."""
        if job.phase in STARTED or job.phase in TERMINAL or job.cancel:
            return ""
        if job.deleting:
            return PendingReason.BEING_DELETED
        if job.assignment is not None:
            return ""
        if job.suspend:
            return PendingReason.SUSPENDED
        explanation = self.waits_for(job)
        return "" if explanation is None else explanation.reason

    def is_stuck(self, job: Job) -> bool:
        """Return whether the job makes no progress until somebody intervenes."""
        if job.phase in STARTED:
            daemon = self.daemon_of(job)
            return daemon is None or daemon.state is DaemonState.OFFLINE
        return self.reason_of(job) in STUCK

    def daemon_of(self, job: Job) -> Daemon | None:
        """Return the daemon that the job is assigned to; None if there is none, or it no longer exists."""
        return None if job.assignment is None else self.daemon(job.assignment.daemon_uid)

    def jobs_on(self, daemon: Daemon) -> list[Job]:
        """Return the unfinished jobs that are assigned to the daemon."""
        return [self.jobs[uid] for uid in self.placement.jobs_of(daemon.uid)]

    def takers(self, demand: Demand) -> list[Daemon]:
        """Return the daemons that run jobs of this demand, now or as soon as they have a free slot."""
        return [
            each.daemon
            for each in self.candidates(demand.namespace)
            if each.open and satisfies(each.daemon.supply, demand)
        ]


def heartbeat_age(daemon: Daemon, now: float) -> float | None:
    """Return the seconds since the daemon's last heartbeat; None if there was none."""
    if daemon.heartbeat is None:
        return None
    return max(0.0, now - datetime.fromisoformat(daemon.heartbeat).timestamp())


def online_until(daemon: Daemon) -> float | None:
    """Return the time from which the daemon counts as offline without a further heartbeat; None if it is offline now."""
    if daemon.deleting or daemon.heartbeat is None or daemon.state in (DaemonState.OFFLINE, DaemonState.DRAINING):
        return None
    silence = offline_after(daemon.lost_after, daemon.idle_interval)
    return datetime.fromisoformat(daemon.heartbeat).timestamp() + silence
