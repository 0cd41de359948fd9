"""The queues of all namespaces, each under its own policy. Used by the assignment queue and by the views. Pure."""

from collections.abc import Iterable, Iterator
from math import inf

from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, PastRun, QueuePolicy, past_run
from provisioner_operator.core.scheduling.queueing.shares import HeadKey


class PolicyQueues:
    """Waiting jobs by namespace and, where a policy is set, jobs that use a slot and ended runs.

    Changes return the demands that they concern.
    """

    def __init__(self) -> None:
        self._queues: dict[str, NamespaceQueue] = {}
        """Queues of the namespaces that have a policy, or a job that waits."""
        self._counted: set[str] = set()
        """Namespaces whose policy is set: elsewhere, what runs makes no difference, and nobody asks for it."""
        self._namespace_of: dict[str, str] = {}
        """Namespaces of the waiting jobs."""
        self._slot_in: dict[str, str] = {}
        """Namespaces of the jobs that use a slot."""
        self._past_in: dict[str, str] = {}
        """Namespaces of the ended runs that count, by the uid of the job."""
        self._next_advance = inf
        """Wall-clock time at which the past use of a namespace is due for a change of its scale."""

    def __contains__(self, uid: str) -> bool:
        """Return whether the job waits."""
        return uid in self._namespace_of

    def of(self, namespace: str) -> NamespaceQueue | None:
        """Return the queue of a namespace, to be read; None if it has neither a policy nor jobs."""
        return self._queues.get(namespace)

    def with_policy(self) -> Iterator[tuple[str, NamespaceQueue]]:
        """Iterate over the namespaces that have a policy, with their queues."""
        return ((namespace, queue) for namespace, queue in self._queues.items() if queue.policy != NO_POLICY)

    def has(self, demand: Demand) -> bool:
        """Return whether any job of the demand waits, held up by a limit or not."""
        queue = self._queues.get(demand.namespace)
        return queue is not None and queue.has(demand)

    def first(self, demand: Demand) -> tuple[HeadKey, Job] | None:
        """Return the next job of the demand, with its sort key; None if none may start."""
        queue = self._queues.get(demand.namespace)
        return None if queue is None else queue.first(demand)

    def depths(self) -> dict[Demand, int]:
        """Return the number of jobs of each demand that could run at the same time: as many as the limits let."""
        return {demand: count for queue in self._queues.values() for demand, count in queue.depths().items()}

    def set_policy(self, namespace: str, policy: QueuePolicy, now: float, running: Iterable[Job] = ()) -> list[Demand]:
        """Order the namespace's jobs by this policy from now on, a wall-clock time.

        `running` are the jobs that use a slot; they are looked at if the namespace had no policy until now.
        """
        former = self._of(namespace)
        if namespace not in self._counted:
            self._counted.add(namespace)
            for job in running:
                self.take_slot(job)
        if former.policy == policy:
            self._tidy(namespace)
            return []
        queue = self._queues[namespace] = NamespaceQueue(policy)
        queue.advance(now)
        for job in former.slots.jobs():
            queue.take_slot(job)
        if former.past is not None:
            for run in former.past.runs():
                queue.add_past_run(run)
        for job in former.waiting():
            queue.put(job)
        self._past_changed(namespace)
        self._tidy(namespace)
        return queue.demands()

    def unset_policy(self, namespace: str, now: float) -> list[Demand]:
        """Order the namespace's jobs by priority and age from now on, a wall-clock time, and count nothing more there."""
        changed = self.set_policy(namespace, NO_POLICY, now)
        for uid in [uid for uid, where in self._slot_in.items() if where == namespace]:
            self.free_slot(uid)
        self._counted.discard(namespace)
        return changed

    def put(self, job: Job) -> bool:
        """Add a job that may start, or replace its former version; return whether the first of its demand may be another now."""
        self._namespace_of[job.uid] = job.namespace
        return self._of(job.namespace).put(job)

    def discard(self, uid: str) -> Demand | None:
        """Remove a job that may not start now, if it waits; return its demand if the first of that may be another now."""
        namespace = self._namespace_of.pop(uid, None)
        if namespace is None:
            return None
        demand = self._queues[namespace].discard(uid)
        self._tidy(namespace)
        return demand

    def take_slot(self, job: Job) -> list[Demand]:
        """Count a slot for a job that is assigned or runs, if its namespace has a policy."""
        if job.namespace not in self._counted:
            return []
        self._slot_in[job.uid] = job.namespace
        return self._of(job.namespace).take_slot(job)

    def free_slot(self, uid: str) -> list[Demand]:
        """Count no slot for a job that neither is assigned nor runs any more."""
        namespace = self._slot_in.pop(uid, None)
        if namespace is None:
            return []
        changed = self._queues[namespace].free_slot(uid)
        self._tidy(namespace)
        return changed

    def observe_end(self, job: Job) -> list[Demand]:
        """Count the run of a job that has ended, and its slot no more."""
        if (run := past_run(job)) is not None:
            self.add_past_run(job.namespace, run)
        return self.free_slot(job.uid)

    def add_past_run(self, namespace: str, run: PastRun) -> None:
        """Count a run that has ended, if the namespace's policy counts any."""
        queue = self._queues.get(namespace)
        if queue is None or queue.past is None:
            return
        queue.add_past_run(run)
        if run.uid in queue.past:
            self._past_in[run.uid] = namespace

    def forget_past_run(self, uid: str) -> list[Demand]:
        """Count a run no longer whose job is gone."""
        namespace = self._past_in.pop(uid, None)
        return [] if namespace is None else self._queues[namespace].forget_past_run(uid)

    def advance(self, now: float) -> list[Demand]:
        """Let time pass, up to this wall-clock time."""
        if now < self._next_advance:
            return []
        changed: list[Demand] = []
        for namespace, queue in self._queues.items():
            if queue.past is not None and now >= queue.past.next_move:
                changed += queue.advance(now)
                self._past_changed(namespace)
        return changed

    def _past_changed(self, namespace: str) -> None:
        """Note which runs of the namespace still count, and when that changes; rare, after a change of its policy or scale."""
        past = self._queues[namespace].past
        counting = () if past is None else [run.uid for run in past.runs()]
        self._past_in = {uid: where for uid, where in self._past_in.items() if where != namespace}
        self._past_in.update(dict.fromkeys(counting, namespace))
        moves = (queue.past.next_move for queue in self._queues.values() if queue.past is not None)
        self._next_advance = min(moves, default=inf)

    def _of(self, namespace: str) -> NamespaceQueue:
        queue = self._queues.get(namespace)
        if queue is None:
            queue = self._queues[namespace] = NamespaceQueue()
        return queue

    def _tidy(self, namespace: str) -> None:
        queue = self._queues[namespace]
        if queue.is_idle and queue.policy == NO_POLICY:
            del self._queues[namespace]
