"""A view of the queue that follows each change of a job, daemon or pool, at a cost that does not depend on its length.

What it answers equals what a snapshot of the same objects does: nothing is remembered of objects that are gone. Kept by
the web server's index. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.model.sorted_list import SortedList
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.queueing.places import in_order
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.demand_queues import DemandQueues
from provisioner_operator.core.views.namespace_explanations import NamespaceExplanations
from provisioner_operator.core.views.queue_view import Place, QueueView, online_until

_NO_DAEMON = ""


class LiveQueue(QueueView):
    """Jobs, daemons and pools as last observed; ended jobs are none of its business."""

    def __init__(self) -> None:
        self.now = float("-inf")
        self._jobs: dict[str, Job] = {}
        self._daemons: dict[str, Daemon] = {}
        self._placement = Placement()
        self._queues = DemandQueues()
        self._started: dict[str, set[str]] = {}
        """Started jobs by the uid of their daemon."""
        self._policies = PolicyQueues()
        self._policy_of: dict[str, str] = {}
        """Namespaces of the queues by uid."""
        self._orders: dict[Demand, dict[str, int]] = {}
        """Places by uid in the queues of namespaces with a policy, until anything changes."""
        self._explanations = NamespaceExplanations()
        self._pools: dict[str, Pool] = {}
        self._offline_at: KeyedHeap[str, float] = KeyedHeap()
        """Times from which the daemons that are online count as offline."""

    # --- changes ---

    def advance(self, now: float) -> list[Daemon]:
        """Move the clock on, and return the daemons that went offline because no heartbeat arrived in time."""
        self.now = max(self.now, now)
        self._policies.advance(self.now)
        silent = [self._daemons[uid] for uid in self._offline_at.pop_due(self.now)]
        for daemon in silent:
            self._refresh_daemon(daemon)
        return silent

    def observe_job(self, job: Job) -> None:
        """Add a job, or replace its former version."""
        if job.phase in TERMINAL:
            self.forget_job(job.uid)
            self._policies.observe_end(job)
            return
        former = self._jobs.get(job.uid)
        self._jobs[job.uid] = job
        self._orders.clear()
        concerned = self._assign(former, job)
        if _uses_slot(job):
            concerned += self._placement.occupy(job)
            self._policies.take_slot(job)
        else:
            concerned += self._placement.join(job)
            self._policies.free_slot(job.uid)
        self._note_start(former, job)
        self._refresh([*concerned, job.uid])

    def forget_job(self, uid: str) -> None:
        """Remove a job that has ended or is gone."""
        self._orders.clear()
        self._policies.forget_past_run(uid)
        job = self._jobs.pop(uid, None)
        if job is None:
            return
        self._policies.free_slot(uid)
        concerned = [*self._assign(job, None), *self._placement.leave(job)]
        self._note_start(job, None)
        self._refresh([*concerned, uid])

    def observe_daemon(self, daemon: Daemon) -> bool:
        """Add a daemon, or replace its former version; return whether it comes online or goes offline by that."""
        former = self._daemons.get(daemon.uid)
        was_online = former is not None and self.is_online(former)
        self._daemons[daemon.uid] = daemon
        until = online_until(daemon)
        if until is None:
            self._offline_at.discard(daemon.uid)
        else:
            self._offline_at.put(daemon.uid, until)
        concerned = self._placement.keep_states(daemon.uid, daemon.unsaved_workspaces)
        if former is None or former.runs != daemon.runs:
            concerned += self._report(daemon)
        self._refresh([*concerned, daemon.uid])
        return self.is_online(daemon) != was_online

    def forget_daemon(self, uid: str) -> None:
        """Remove a daemon that is gone. Jobs that are assigned to it stay as they are."""
        daemon = self._daemons.pop(uid, None)
        if daemon is None:
            return
        self._offline_at.discard(uid)
        self._explanations.remove_daemon(daemon.namespace, uid)
        self._refresh([*self._placement.keep_states(uid, frozenset()), *self._placement.lose(uid)])

    def observe_pool(self, pool: Pool) -> None:
        """Add a pool, or replace its former version."""
        self._pools[pool.uid] = pool
        self._explanations.put_pool(pool)

    def forget_pool(self, uid: str) -> None:
        """Remove a pool that is gone."""
        self._pools.pop(uid, None)
        self._explanations.forget_pool(uid)

    def observe_queue(self, queue: Queue) -> None:
        """Add the policy of a namespace, or replace it."""
        self._orders.clear()
        self._policy_of[queue.uid] = queue.namespace
        running = (job for job in self._jobs.values() if job.namespace == queue.namespace and _uses_slot(job))
        self._policies.set_policy(queue.namespace, queue.policy, self.now if isfinite(self.now) else 0.0, running)

    def forget_queue(self, uid: str) -> None:
        """Remove a policy that is gone, unless its namespace has got another one."""
        self._orders.clear()
        namespace = self._policy_of.pop(uid, None)
        if namespace is not None and namespace not in self._policy_of.values():
            self._policies.unset_policy(namespace, 0.0)

    # --- what is known ---

    @property
    @override
    def jobs(self) -> Mapping[str, Job]:
        return self._jobs

    @property
    @override
    def queues(self) -> Mapping[Demand, SortedList[Job]]:
        return self._queues.by_demand

    @property
    @override
    def placement(self) -> Placement:
        return self._placement

    @property
    @override
    def policies(self) -> PolicyQueues:
        return self._policies

    @override
    def place_of(self, uid: str) -> Place | None:
        job = self._jobs.get(uid)
        policy = None if job is None else self._policies.of(job.namespace)
        if job is None or policy is None or policy.policy == NO_POLICY:
            return self._queues.place_of(uid)
        order = self._orders.get(job.demand)
        if order is None:
            jobs = in_order(policy, self._queues.by_demand.get(job.demand, ()))
            order = self._orders[job.demand] = {each.uid: at for at, each in enumerate(jobs, start=1)}
        return Place(order[uid], len(order)) if uid in order else None

    @override
    def candidates(self, namespace: str) -> list[Candidate]:
        return self._explanations.of(namespace).candidates()

    @override
    def pools_in(self, namespace: str) -> list[Pool]:
        return [pool for pool in self._pools.values() if pool.namespace == namespace]

    @override
    def explain(self, demand: Demand) -> Explanation | None:
        return self._explanations.of(demand.namespace).explain(demand)

    @override
    def daemon(self, uid: str) -> Daemon | None:
        return self._daemons.get(uid)

    def stuck_jobs(self, namespaces: Iterable[str]) -> Iterator[str]:
        """Yield the uids of all stuck jobs of these namespaces."""
        allowed = frozenset(namespaces)
        for queue in self._stuck_queues(allowed):
            yield from [job.uid for job in queue]
        for uid in self._stuck_runs():
            if self._jobs[uid].namespace in allowed:
                yield uid

    def count_stuck(self, namespaces: Iterable[str]) -> int:
        """Count the stuck jobs of these namespaces."""
        allowed = frozenset(namespaces)
        waiting = sum(map(len, self._stuck_queues(allowed)))
        return waiting + sum(self._jobs[uid].namespace in allowed for uid in self._stuck_runs())

    # --- inside ---

    def _stuck_queues(self, namespaces: Iterable[str]) -> Iterator[SortedList[Job]]:
        for demand, queue in self._queues.of(namespaces):
            if self._explanations.of(demand.namespace).reason_while_waiting(demand) in STUCK:
                yield queue

    def _stuck_runs(self) -> Iterator[str]:
        for uid, jobs in self._started.items():
            daemon = self._daemons.get(uid)
            if daemon is None or daemon.state is DaemonState.OFFLINE:
                yield from jobs

    def _assign(self, former: Job | None, job: Job | None) -> list[str]:
        """Move the job from the daemon that had it to the one that has it."""
        before, after = _daemon_uid(former), _daemon_uid(job)
        if before == after:
            return []
        concerned: list[str] = []
        if before != _NO_DAEMON and former is not None:
            concerned += self._placement.take(before, former.uid)
        if after != _NO_DAEMON and job is not None:
            concerned += self._placement.give(after, job)
        # Whether a run that a heartbeat lists outlives its job depends on the assignments.
        for uid in (before, after):
            if (daemon := self._daemons.get(uid)) is not None:
                concerned += self._report(daemon)
        return concerned

    def _report(self, daemon: Daemon) -> list[str]:
        """Take the daemon's runs from its last heartbeat alone, whatever was known before."""
        return [*self._placement.lose(daemon.uid), *self._placement.report(daemon, trusted=True), daemon.uid]

    def _note_start(self, former: Job | None, job: Job | None) -> None:
        if former is not None and former.phase in STARTED:
            _discard(self._started, _daemon_uid(former), former.uid)
        if job is not None and job.phase in STARTED:
            self._started.setdefault(_daemon_uid(job), set()).add(job.uid)

    def _refresh(self, uids: Iterable[str]) -> None:
        """Bring the queues and the fleets up to date for these jobs and daemons."""
        for uid in dict.fromkeys(uids):
            if (daemon := self._daemons.get(uid)) is not None:
                self._refresh_daemon(daemon)
            else:
                self._refresh_job(uid)

    def _refresh_job(self, uid: str) -> None:
        job = self._jobs.get(uid)
        is_queued = job is not None and job.may_start and self.busy(job) is None
        self._queues.put(uid, job if is_queued else None)

    def _refresh_daemon(self, daemon: Daemon) -> None:
        is_free = daemon.capacity > self.used(daemon)
        self._explanations.put_daemon(Candidate(daemon, self.is_online(daemon), is_free))


def _uses_slot(job: Job) -> bool:
    return job.assignment is not None or job.phase in STARTED


def _daemon_uid(job: Job | None) -> str:
    return _NO_DAEMON if job is None or job.assignment is None else job.assignment.daemon_uid


def _discard(sets: dict[str, set[str]], key: str, member: str) -> None:
    members = sets[key]
    members.discard(member)
    if not members:
        del sets[key]
