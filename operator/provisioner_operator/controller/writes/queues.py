"""Carry out decisions about queues: one conditional write each."""

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import Result
from provisioner_operator.controller.writes.executor import has_moved_on, read_fresh, with_effect
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient


class QueueExecutor:
    """Executor of decisions about queues."""

    def __init__(self, client: KubeClient, observer: Observer) -> None:
        self._client = client
        self._observer = observer

    async def execute(self, decision: UpdateQueueStatus) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        queue = decision.queue
        path = paths.queue_status(queue.namespace, queue.name)
        body = await self._client.json_patch(path, decision.patch())
        self._observer.queue(with_effect(body, queue.resource_version))
        return Result.OK

    async def is_news(self, decision: UpdateQueueStatus) -> bool:
        """Read the queue; return whether the precondition no longer holds. Raises KubeError."""
        queue = decision.queue
        body = await read_fresh(
            self._client,
            paths.queue(queue.namespace, queue.name),
            queue.uid,
            observe=self._observer.queue,
            gone=self._observer.queue_deleted,
        )
        return has_moved_on(body, decision.patch(), queue.resource_version)
