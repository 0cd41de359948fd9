"""The cost of a decision depends neither on the number of waiting jobs nor on that of groups: counted, not timed."""

import pytest
from typing_extensions import override

from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.scheduling import assignment
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from provisioner_operator.core.scheduling.queueing import lanes
from provisioner_operator.core.scheduling.queueing.policy import Limit, QueuePolicy
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job
from support.builders.queues import BY_INITIATOR, a_past_run, fair

POLICY = QueuePolicy(fair(), (Limit("gpu", 20, template="gpu"), Limit("each", 2, per=BY_INITIATOR)))


def steps_per_decision(monkeypatch: pytest.MonkeyPatch, pending: int, groups: int, decisions: int = 60) -> float:
    """Count the heap entries that a decision touches: a run ends, its slot is free, and the next job takes it."""
    steps = 0

    class Counting(KeyedHeap[object, object]):
        @override
        def put(self, key: object, priority: object) -> None:
            nonlocal steps
            steps += 1
            super().put(key, priority)

        @override
        def peek(self) -> tuple[object, object] | None:
            nonlocal steps
            steps += 1
            return super().peek()

    monkeypatch.setattr(assignment, "KeyedHeap", Counting)
    monkeypatch.setattr(lanes, "KeyedHeap", Counting)
    queue = AssignmentQueue()
    queue.set_policy(NAMESPACE, POLICY, NOON)
    tags: tuple[dict[str, str], ...] = ({}, {"x": "1"})
    for number in range(pending):
        template = "gpu" if number % 4 == 0 else None
        person, mine = f"g{number % groups}", tags[number % 2]
        queue.enqueue(a_job(f"job-{number}", initiator=person, template=template, tags=mine, created=number))
    daemons = [a_daemon(f"d{number}", tags=tags[number % 2]) for number in range(40)]
    for daemon in daemons:
        queue.offer(daemon, 1)
    running = queue.match(NOON)
    steps = 0
    for number in range(decisions):
        job, daemon = running.pop(0)
        queue.free_slot(job.uid)
        queue.add_past_run(
            NAMESPACE, a_past_run(job.uid, started=NOON, finished=NOON + number + 1, initiator=job.initiator)
        )
        queue.offer(daemon, 1)
        running += queue.match(NOON + number + 1)
    return steps / decisions


def test_a_decision_costs_the_same_however_many_jobs_and_groups_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    few = steps_per_decision(monkeypatch, pending=2_000, groups=40)
    many_jobs = steps_per_decision(monkeypatch, pending=16_000, groups=40)
    many_groups = steps_per_decision(monkeypatch, pending=16_000, groups=1_000)
    assert many_jobs <= few * 1.1
    assert many_groups <= few * 1.1
    assert few < 150
