"""The status of a queue is written with the uid as its precondition, and a queue that is gone is forgotten."""

from provisioner_operator.controller.writes.queues import QueueExecutor
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import NotFoundError
from support.builders.controller import ControllerParts, stored
from support.builders.core import at
from support.builders.manifests import a_queue_manifest
from support.virtual_time import virtual_time


def a_decision(parts: ControllerParts) -> UpdateQueueStatus:
    parts.observer.queue(stored(a_queue_manifest(fairness={"by": "Owner"})))
    (decision,) = parts.jobs.decide(at(0))
    assert isinstance(decision, UpdateQueueStatus)
    return decision


@virtual_time
async def test_the_answer_to_the_write_is_observed() -> None:
    parts = ControllerParts()
    decision = a_decision(parts)
    (_, status), *_ = decision.patch().sets
    assert isinstance(status, dict)
    body = stored(a_queue_manifest(fairness={"by": "Owner"}), version=2, **status)
    parts.client.answers("PATCH", paths.queue_status("acme", "default"), body)
    await QueueExecutor(parts.client, parts.observer).execute(decision)
    (queue,) = parts.jobs.queues()
    assert queue.resource_version == 2
    assert queue.status.observed_generation == 1


@virtual_time
async def test_a_queue_that_is_gone_is_news() -> None:
    parts = ControllerParts()
    decision = a_decision(parts)
    parts.client.answers("GET", paths.queue("acme", "default"), NotFoundError(404, "gone"))
    assert await QueueExecutor(parts.client, parts.observer).is_news(decision)
    assert list(parts.jobs.queues()) == []
