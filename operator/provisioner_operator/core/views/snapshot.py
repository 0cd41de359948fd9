"""A view of the queue that is built once from lists of jobs, daemons and pools. Pure."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from typing_extensions import override

from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import Explanation, explain
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.queueing.places import in_order
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.queue_view import Place, QueueView


class Snapshot(QueueView):
    """Jobs, daemons and pools at the time `now` (seconds since the epoch, by the server's clock)."""

    def __init__(
        self,
        jobs: Iterable[Job],
        daemons: Iterable[Daemon] = (),
        pools: Iterable[Pool] = (),
        queues: Iterable[Queue] = (),
        *,
        now: float,
    ) -> None:
        """Take the unfinished jobs, and all daemons, pools and queues of their namespaces; ended jobs only count for policies."""
        self.now = now
        known = list(jobs)
        self._jobs = {job.uid: job for job in known if job.phase not in TERMINAL}
        self._policies = PolicyQueues()
        for queue in queues:
            self._policies.set_policy(queue.namespace, queue.policy, now)
        for job in known:
            if job.phase in TERMINAL:
                self._policies.observe_end(job)
            elif job.assignment is not None or job.phase in STARTED:
                self._policies.take_slot(job)
        self.daemons = tuple(daemons)
        self.pools = tuple(pools)
        self._explained: dict[Demand, Explanation | None] = {}

    @property
    @override
    def jobs(self) -> Mapping[str, Job]:
        """The unfinished jobs by uid."""
        return self._jobs

    @property
    @override
    def queues(self) -> Mapping[Demand, tuple[Job, ...]]:
        """The queue of each demand: jobs that wait for nothing but a daemon, by priority and age; for their places, see `place_of`."""
        return self._queues

    @property
    @override
    def placement(self) -> Placement:
        """Slots and workspaces that are occupied."""
        return self._placement

    @property
    @override
    def policies(self) -> PolicyQueues:
        """Policies of the namespaces, with the slots and the past use that they count."""
        return self._policies

    @cached_property
    def _queues(self) -> Mapping[Demand, tuple[Job, ...]]:
        waiting: dict[Demand, list[Job]] = {}
        for job in self.jobs.values():
            if job.may_start and self.busy(job) is None:
                waiting.setdefault(job.demand, []).append(job)
        return {demand: tuple(sorted(jobs, key=queue_key)) for demand, jobs in waiting.items()}

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Places in the queue by job uid; suspended jobs and those that wait for their workspace have none."""
        return {
            job.uid: Place(at, len(jobs))
            for demand, jobs in self.queues.items()
            for at, job in enumerate(in_order(self._policies.of(demand.namespace), jobs), start=1)
        }

    @override
    def place_of(self, uid: str) -> Place | None:
        return self.places.get(uid)

    @override
    def candidates(self, namespace: str) -> list[Candidate]:
        """Return the daemons of the namespace with their availability for a new job."""
        return [
            Candidate(daemon, self.is_online(daemon), daemon.capacity > self.used(daemon))
            for daemon in self.daemons
            if daemon.namespace == namespace
        ]

    @override
    def pools_in(self, namespace: str) -> list[Pool]:
        return [pool for pool in self.pools if pool.namespace == namespace]

    @override
    def explain(self, demand: Demand) -> Explanation | None:
        """Return why jobs of this demand wait; None if a daemon is ready to run one."""
        if demand not in self._explained:
            growths = [growth for pool in self.pools if (growth := growth_of(pool)) is not None]
            mine = [growth for growth in growths if growth.supply.namespace == demand.namespace]
            self._explained[demand] = explain(demand, self.candidates(demand.namespace), mine)
        return self._explained[demand]

    @override
    def daemon(self, uid: str) -> Daemon | None:
        return next((each for each in self.daemons if each.uid == uid), None)

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
            placement.keep_states(daemon.uid, daemon.unsaved_workspaces)
        return placement


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
