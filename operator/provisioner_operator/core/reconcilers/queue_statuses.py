"""Report on the queues of namespaces that have a policy, seldom: one status follows the changes of many jobs."""

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.explanations import JobExplanations
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.status import (
    STATUS_SECONDS,
    UpdateQueueStatus,
    differs,
    queue_status,
)


class QueueStatuses(JobExplanations):
    """Decides when the status of a ProvisionerQueue is written. Used by the job reconciler."""

    def _decide_queue(self, uid: str, now: Instant) -> UpdateQueueStatus | None:
        queue = self._policies[uid]
        jobs = self.policy_queues.of(queue.namespace)
        due = self._status_seen.get(queue.namespace, float("-inf")) + STATUS_SECONDS
        # A change of the spec is reported at once, changes of jobs together.
        if now.monotonic < due and queue.status.observed_generation == queue.generation:
            self._work.add_after(uid, due)
            return None
        self._work.add_after(uid, None)
        self._status_seen[queue.namespace] = now.monotonic
        # A policy that says nothing about the order has no queue while there is no job.
        status = queue_status(queue, NamespaceQueue() if jobs is None else jobs, now.wall)
        return UpdateQueueStatus(queue, status) if differs(status, queue.status) else None
