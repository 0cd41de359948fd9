"""Answer questions about the queue from a snapshot of jobs, daemons and pools, by the controller's own rules.

Built once from lists, of the parts that the controller keeps up to date: placement, queue order, matching, explanation.
A daemon counts as online by the state and the time of its last heartbeat; the controller, which observes each heartbeat
and the daemons' Pods, can be a little ahead. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.matching import Demand, satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation, explain
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.smallest_change import Candidate


@dataclass(frozen=True, slots=True)
class Place:
    """A job's position in the queue of its demand, counted from 1, and the length of that queue."""

    position: int
    size: int

    @override
    def __str__(self) -> str:
        return f"{self.position}/{self.size}"


class Snapshot:
    """Jobs, daemons and pools at the time `now` (seconds since the epoch, by the server's clock)."""

    def __init__(
        self, jobs: Iterable[Job], daemons: Iterable[Daemon] = (), pools: Iterable[Pool] = (), *, now: float
    ) -> None:
        """Take the unfinished jobs (ended ones are ignored), and all daemons and pools of their namespaces."""
        self.now = now
        self.jobs: Mapping[str, Job] = {job.uid: job for job in jobs if job.phase not in TERMINAL}
        self.daemons = tuple(daemons)
        self.pools = tuple(pools)
        self._explained: dict[Demand, Explanation | None] = {}

    @cached_property
    def queues(self) -> Mapping[Demand, tuple[Job, ...]]:
        """The queue of each demand: jobs that wait for nothing but a daemon, in their order."""
        waiting: dict[Demand, list[Job]] = {}
        for job in self.jobs.values():
            if job.may_start and self._placement.is_turn_of(job):
                waiting.setdefault(job.demand, []).append(job)
        return {demand: tuple(sorted(jobs, key=queue_key)) for demand, jobs in waiting.items()}

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Places in the queue by job uid; suspended jobs and those that wait for their workspace have none."""
        return {job.uid: Place(at, len(jobs)) for jobs in self.queues.values() for at, job in enumerate(jobs, start=1)}

    def blocker_of(self, job: Job) -> str | None:
        """Return the name of the job that goes first in the pending job's workspace; None if it is this job's turn."""
        if not job.may_start or self._placement.is_turn_of(job):
            return None
        blocker = self.jobs.get(self._placement.blocker_of(job) or "")
        return blocker.name if blocker is not None else "an earlier job whose run may not have ended yet"

    def candidates(self, namespace: str) -> list[Candidate]:
        """Return the daemons of the namespace with their availability for a new job."""
        return [
            Candidate(daemon, self.is_online(daemon), daemon.capacity > self.used(daemon))
            for daemon in self.daemons
            if daemon.namespace == namespace
        ]

    def used(self, daemon: Daemon) -> int:
        """Count the occupied slots of the daemon."""
        return self._placement.used(daemon.uid)

    def is_online(self, daemon: Daemon) -> bool:
        """Return whether the daemon accepts jobs by its last heartbeat, and that is recent."""
        if daemon.deleting or daemon.state in (DaemonState.OFFLINE, DaemonState.DRAINING):
            return False
        age = heartbeat_age(daemon, self.now)
        return age is not None and age < offline_after(daemon.lost_after)

    def explain(self, demand: Demand) -> Explanation | None:
        """Return why jobs of this demand wait; None if a daemon is ready to run one."""
        if demand not in self._explained:
            growths = [growth for pool in self.pools if (growth := growth_of(pool)) is not None]
            mine = [growth for growth in growths if growth.supply.namespace == demand.namespace]
            self._explained[demand] = explain(demand, self.candidates(demand.namespace), mine)
        return self._explained[demand]

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
        if self.blocker_of(job) is not None:
            return PendingReason.WORKSPACE_BUSY
        explanation = self.explain(job.demand)
        return "" if explanation is None else explanation.reason

    def is_stuck(self, job: Job) -> bool:
        """Return whether the job makes no progress until somebody intervenes."""
        if job.phase in STARTED:
            daemon = self.daemon_of(job)
            return daemon is None or daemon.state is DaemonState.OFFLINE
        return self.reason_of(job) in STUCK

    def daemon_of(self, job: Job) -> Daemon | None:
        """Return the daemon that the job is assigned to; None if there is none, or it no longer exists."""
        given = job.assignment
        return None if given is None else next((each for each in self.daemons if each.uid == given.daemon_uid), None)

    def takers(self, demand: Demand) -> list[Daemon]:
        """Return the daemons that run jobs of this demand, now or as soon as they have a free slot."""
        return [
            each.daemon
            for each in self.candidates(demand.namespace)
            if each.open and satisfies(each.daemon.supply, demand)
        ]

    @cached_property
    def _placement(self) -> Placement:
        placement = Placement()
        for job in self.jobs.values():
            if job.assignment is not None:
                placement.give(job.assignment.daemon_uid, job)
            if job.assignment is not None or job.phase in STARTED:
                placement.occupy(job)
            else:
                placement.join(job)
        for daemon in self.daemons:
            placement.report(daemon, trusted=True)
        return placement


def heartbeat_age(daemon: Daemon, now: float) -> float | None:
    """Return the seconds since the daemon's last heartbeat; None if there was none."""
    if daemon.heartbeat is None:
        return None
    return max(0.0, now - datetime.fromisoformat(daemon.heartbeat).timestamp())


def waited(job: Job, now: float) -> float:
    """Return the seconds that the job has been, or was, pending and not suspended."""
    if job.started is not None:
        until = job.started
    elif job.finished is not None:
        until = job.finished
    else:
        until = job.suspended_at if job.suspended_at is not None else now
    return max(0.0, until - job.created - job.suspended_seconds)


def ran(job: Job, now: float) -> float | None:
    """Return the seconds that the job has been running, or ran; None if it never started."""
    if job.started is None:
        return None
    return max(0.0, (job.finished if job.finished is not None else now) - job.started)
