"""Derive a queue's status, and whether it is worth a write. Called by the job reconciler. Pure."""

from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, QueueCondition, QueueReason
from provisioner_operator.api.v1alpha1.limits import MOST_QUEUE_GROUPS
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch, conditions_json
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.records import GroupCount, LimitCount, Queue, QueueStatus

STATUS_SECONDS = 30.0
"""Time between two writes that follow changes of jobs: one status for a namespace, however many jobs start and end."""


@dataclass(frozen=True, slots=True)
class UpdateQueueStatus:
    """Write the status of a queue."""

    queue: Queue
    status: QueueStatus

    @property
    def subject(self) -> str:
        """The queue's uid."""
        return self.queue.uid

    @property
    def display_name(self) -> str:
        """The queue as people write it."""
        return self.queue.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The queue."""
        return ObjectReference("ProvisionerQueue", self.queue.namespace, self.queue.name, self.queue.uid)

    def patch(self) -> JsonPatch:
        """Return the write of the whole status, which has no other author."""
        return JsonPatch(tests=(("/metadata/uid", self.queue.uid),), sets=(("/status", _json(self.status)),))


def queue_status(queue: Queue, jobs: NamespaceQueue, now: float) -> QueueStatus:
    """Return the current status, at this wall-clock time."""
    used = len(jobs.slots)
    groups = [_group(jobs, name, used, now) for name in jobs.groups()]
    conditions = with_condition(
        tuple(each for each in queue.status.conditions if each.type == QueueCondition.READY),
        QueueCondition.READY,
        ConditionStatus.TRUE,
        QueueReason.IN_FORCE,
        "Jobs start by this policy.",
        now,
    )
    return QueueStatus(
        pending=len(jobs),
        running=used,
        groups=tuple(sorted(groups, key=_prominence)[:MOST_QUEUE_GROUPS]),
        limits=tuple(LimitCount(each.name, *jobs.count_limit(each.name)) for each in queue.policy.limits),
        observed_generation=queue.generation,
        conditions=conditions,
    )


def differs(one: QueueStatus, other: QueueStatus) -> bool:
    """Return whether the statuses differ in more than the time that passed."""
    return _lasting(one) != _lasting(other)


def _lasting(status: QueueStatus) -> QueueStatus:
    groups = sorted((replace(each, waited=0) for each in status.groups), key=lambda each: each.name)
    conditions = tuple(replace(each, since=0.0) for each in status.conditions)
    return replace(status, groups=tuple(groups), conditions=conditions)


def _group(jobs: NamespaceQueue, name: str, used: int, now: float) -> GroupCount:
    pending, oldest = jobs.count_group(name)
    running = jobs.slots.of_group(name)
    share = round(100 * running / used) if used else 0
    return GroupCount(name, running, pending, share, 0 if oldest is None else max(0, int(now - oldest)))


def _prominence(group: GroupCount) -> tuple[int, int, str]:
    return -group.waited, -group.running, group.name


def _json(status: QueueStatus) -> JsonObject:
    return {
        "pending": status.pending,
        "running": status.running,
        "groups": [
            {
                "name": each.name,
                "running": each.running,
                "pending": each.pending,
                "share": each.share,
                "waitedSeconds": each.waited,
            }
            for each in status.groups
        ],
        "limits": [{"name": each.name, "running": each.running, "blocked": each.blocked} for each in status.limits],
        "observedGeneration": status.observed_generation,
        "conditions": conditions_json(status.conditions),
    }
