"""A queue's status counts what a plain count over all jobs does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, QueueCondition, QueueReason
from provisioner_operator.api.v1alpha1.limits import MOST_QUEUE_GROUPS
from provisioner_operator.core.model.records import Condition, Job
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import GroupCount, LimitCount, Queue, QueueStatus
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus, differs, queue_status
from support.builders.core import NAMESPACE, NOON, a_job
from support.builders.queues import BY_INITIATOR, a_policy, fair, people_jobs, policies

NOW = NOON + 10
JOBS = st.lists(people_jobs(), unique_by=lambda job: job.uid, max_size=13)


def a_queue(policy: QueuePolicy | None = None, **fields: Any) -> Queue:
    return replace(Queue(NAMESPACE, "default", "uid-of-queue", 7, 3, policy or a_policy()), **fields)


def holding(policy: QueuePolicy, waiting: list[Job], running: list[Job]) -> NamespaceQueue:
    jobs = NamespaceQueue(policy)
    for job in waiting:
        jobs.put(job)
    for job in running:
        jobs.take_slot(job)
    return jobs


@given(policies(), JOBS, st.integers(0, 13))
def test_counts_are_those_of_the_jobs(policy: QueuePolicy, jobs: list[Job], number: int) -> None:
    waiting, running = jobs[number:], jobs[:number]

    status = queue_status(a_queue(policy), holding(policy, waiting, running), NOW)

    assert (status.pending, status.running) == (len(waiting), len(running))
    assert {each.name: each for each in status.groups} == {
        group: GroupCount(
            group,
            running=sum(policy.group_of(job) == group for job in running),
            pending=sum(policy.group_of(job) == group for job in waiting),
            share=round(sum(policy.group_of(job) == group for job in running) / max(1, len(running)) * 100),
            waited=max((int(NOW - job.created) for job in waiting if policy.group_of(job) == group), default=0),
        )
        for group in map(policy.group_of, jobs)
    }
    for limit, count in zip(policy.limits, status.limits, strict=True):
        used = [limit.key_of(job) for job in running if limit.concerns(job)]
        blocked = [job for job in waiting if limit.concerns(job) and used.count(limit.key_of(job)) >= limit.most]
        assert count == LimitCount(limit.name, len(used), len(blocked))


def test_the_groups_that_wait_longest_come_first_then_those_that_use_most() -> None:
    waiting = [a_job("late", initiator="late", created=5), a_job("early", initiator="early", created=2)]
    running = [
        a_job(f"{who}-{number}", initiator=who)
        for who, most in (("b", 1), ("a", 1), ("c", 2))
        for number in range(most)
    ]

    status = queue_status(a_queue(), holding(a_policy(), waiting, running), NOW)

    assert [each.name for each in status.groups] == ["early", "late", "c", "a", "b"]


def test_as_many_groups_are_listed_as_the_definition_admits() -> None:
    jobs = [
        a_job(f"job-{number}", initiator=f"person-{number:02}", created=number)
        for number in range(MOST_QUEUE_GROUPS + 1)
    ]

    status = queue_status(a_queue(), holding(a_policy(), jobs, []), NOON + 100)

    assert [each.name for each in status.groups] == [f"person-{number:02}" for number in range(MOST_QUEUE_GROUPS)]


def test_a_clock_behind_that_of_the_server_shows_no_negative_wait() -> None:
    status = queue_status(a_queue(), holding(a_policy(), [a_job(created=60)], []), NOON)

    assert [each.waited for each in status.groups] == [0]


def test_readiness_keeps_its_time_and_foreign_conditions_are_dropped() -> None:
    foreign = Condition("Foreign", ConditionStatus.TRUE, "Any", "", NOON)
    ready = Condition(QueueCondition.READY, ConditionStatus.TRUE, QueueReason.IN_FORCE, "Earlier words.", NOON)
    queue = a_queue(status=QueueStatus(conditions=(foreign, ready)))

    status = queue_status(queue, holding(queue.policy, [], []), NOW)

    assert status.observed_generation == queue.generation
    assert status.conditions == (replace(ready, message="Jobs start by this policy."),)


COUNT = GroupCount("ann", running=1, pending=2, share=50, waited=3)
STATUS = QueueStatus(
    pending=2,
    running=2,
    groups=(COUNT, replace(COUNT, name="bob")),
    limits=(LimitCount("each", 2, 1),),
    observed_generation=3,
    conditions=(Condition(QueueCondition.READY, ConditionStatus.TRUE, QueueReason.IN_FORCE, "Words.", NOON),),
)


@pytest.mark.parametrize(
    ("changes", "is_news"),
    [
        ({"groups": (replace(COUNT, name="bob", waited=9), replace(COUNT, waited=8))}, False),
        ({"conditions": (replace(STATUS.conditions[0], since=NOON + 1),)}, False),
        ({"groups": (replace(COUNT, pending=3), replace(COUNT, name="bob"))}, True),
        ({"conditions": (replace(STATUS.conditions[0], message="Other words."),)}, True),
        ({"limits": (LimitCount("each", 2, 2),)}, True),
        ({"observed_generation": 4}, True),
        ({"pending": 3}, True),
        ({"running": 3}, True),
    ],
)
def test_time_that_passes_is_no_news_and_everything_else_is(changes: dict[str, Any], *, is_news: bool) -> None:
    assert differs(STATUS, replace(STATUS, **changes)) is is_news


def test_the_whole_status_of_this_very_queue_is_written() -> None:
    queue = a_queue(QueuePolicy(fair(), (Limit("each", 2, per=BY_INITIATOR),)))
    update = UpdateQueueStatus(queue, STATUS)

    assert (update.subject, update.display_name) == (queue.uid, f"{NAMESPACE}/default")
    assert (update.regarding.namespace, update.regarding.name, update.regarding.uid) == (
        NAMESPACE,
        "default",
        queue.uid,
    )
    assert update.patch().tests == (("/metadata/uid", queue.uid),)
    assert update.patch().sets == (
        (
            "/status",
            {
                "pending": 2,
                "running": 2,
                "groups": [
                    {"name": name, "running": 1, "pending": 2, "share": 50, "waitedSeconds": 3}
                    for name in ("ann", "bob")
                ],
                "limits": [{"name": "each", "running": 2, "blocked": 1}],
                "observedGeneration": 3,
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "reason": "InForce",
                        "message": "Words.",
                        "lastTransitionTime": "2027-01-15T08:00:00.000000Z",
                    }
                ],
            },
        ),
    )
