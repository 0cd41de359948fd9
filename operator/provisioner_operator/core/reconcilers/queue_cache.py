"""Cache the policies of queues as last observed, and the ended runs that they count. Part of the cache of jobs."""

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.ended_job_cache import EndedJobCache
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, QueuePolicy, past_run
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.queueing.status import STATUS_SECONDS


class QueueCache(EndedJobCache):
    """Takes in each observation of a ProvisionerQueue, and queues what depends on it."""

    def observe_queue(self, queue: Queue, now: Instant) -> bool:
        """Observe a ProvisionerQueue; return False if this or a later version of it is known."""
        known = self._policies.get(queue.uid)
        is_old = known is not None and queue.resource_version <= known.resource_version
        if is_old or self._gone.covers(queue.uid, queue.resource_version):
            return False
        self._policies[queue.uid] = queue
        self._queue_of[queue.namespace] = queue.uid
        self._work.unpark(queue.uid)
        self._work.forget(queue.uid)
        self._work.add(queue.uid)
        if known is None or known.policy != queue.policy:
            self._set_policy(queue.namespace, queue.policy, now)
        self._set_history(queue.namespace, queue.kept_history)
        return True

    def queue_deleted(self, uid: str, now: Instant) -> None:
        """Remove a ProvisionerQueue whose object is gone: its namespace has no policy any more."""
        self._gone.add(uid)
        self._work.discard(uid)
        queue = self._policies.pop(uid, None)
        if queue is not None and self._queue_of.get(queue.namespace) == uid:
            del self._queue_of[queue.namespace]
            self._status_seen.pop(queue.namespace, None)
            self._queue.unset_policy(queue.namespace, now.wall)
            self._policy_changed(queue.namespace, NO_POLICY, now)
            self._set_history(queue.namespace, None)

    def needs_ended_jobs(self, namespace: str) -> bool:
        """Return whether the policy of the namespace is about ended jobs: it keeps so many, or counts their runs."""
        queue = self.policy_queues.of(namespace)
        return self.keeps_history(namespace) or (queue is not None and queue.past is not None)

    def observe_ended(self, job: Job) -> None:
        """Observe an ended job for the policy of its namespace, which may be younger than the job's end."""
        if self._gone.has_deleted(job.uid):
            return
        if (run := past_run(job)) is not None:
            self._queue.add_past_run(job.namespace, run)
        known = self._ended.get(job.uid)
        if known is None and not self._gone.outdates(job.uid, job.resource_version):
            self._remember(job)
        elif known is not None:
            self._count(job)

    def _jobs_changed(self, namespace: str) -> None:
        """Have the status of the namespace's queue, which it has, looked at some time after the last look."""
        self._work.add_after(self._queue_of[namespace], self._status_seen.get(namespace, 0.0) + STATUS_SECONDS)

    def _set_policy(self, namespace: str, policy: QueuePolicy, now: Instant) -> None:
        former = self.policy_queues.of(namespace)
        known = None if former is None or former.policy.fairness is None else former.policy.fairness.half_life
        running = (job for job in self._jobs.values() if job.namespace == namespace and self._uses_slot(job))
        self._queue.set_policy(namespace, policy, now.wall, running)
        self._policy_changed(namespace, policy, now)
        # With another half-life, runs may count that did not.
        if policy.fairness is not None and policy.fairness.half_life != known:
            self.wants_ended_jobs = True

    def _policy_changed(self, namespace: str, policy: QueuePolicy, now: Instant) -> None:
        """Look again at the jobs that wait: what a limit held up may not be any more, and the reverse."""
        for uid in self._reasons.waiting_in(namespace):
            if self._jobs[uid].reason == PendingReason.LIMIT_REACHED or policy.limits:
                self._reasons.look_soon(uid, now)

    def _uses_slot(self, job: Job) -> bool:
        return job.assignment is not None or job.phase in STARTED or job.uid in self._assigning
