"""Places are those in which the jobs would start if no run ended."""

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.places import in_order
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, Limit, QueuePolicy
from support.builders.core import a_demand, a_job
from support.builders.queues import a_policy, fair, people_jobs, policies

JOBS = st.lists(people_jobs(), unique_by=lambda job: job.uid, max_size=13)


def test_everybody_has_a_turn_before_anybody_has_a_second() -> None:
    jobs = [a_job(f"{who}-{number}", initiator=who) for who in ("ann", "bob") for number in range(3)]
    found = in_order(NamespaceQueue(a_policy()), jobs)
    assert [job.name for job in found] == ["ann-0", "bob-0", "ann-1", "bob-1", "ann-2", "bob-2"]


def test_jobs_that_a_limit_holds_come_last() -> None:
    queue = NamespaceQueue(a_policy(Limit("gpu", 0, template="gpu")))
    jobs = [a_job("held", template="gpu", priority=9), a_job("free", created=5)]
    assert [job.name for job in in_order(queue, jobs)] == ["free", "held"]


@given(JOBS)
def test_without_a_policy_places_follow_priority_and_age(jobs: list[Job]) -> None:
    assert in_order(None, jobs) == in_order(NamespaceQueue(NO_POLICY), jobs) == sorted(jobs, key=queue_key)


@settings(deadline=None)
@given(policies(), JOBS)
def test_places_are_the_order_of_starts_where_no_limit_is_reached_on_the_way(
    policy: QueuePolicy, jobs: list[Job]
) -> None:
    queue = NamespaceQueue(QueuePolicy(policy.fairness or fair(), (), policy.background))
    jobs = [job for job in jobs if job.demand == a_demand()]
    for job in jobs:
        queue.put(job)
    placed = in_order(queue, jobs)
    started: list[Job] = []
    while (first := queue.first(a_demand())) is not None:
        started.append(first[1])
        queue.discard(first[1].uid)
        queue.take_slot(first[1])
    # Equal in natural order are names that differ in leading zeros alone, which these do not.
    assert [job.name for job in placed] == [job.name for job in started]
