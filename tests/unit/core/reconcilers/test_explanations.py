"""Explanations of waiting jobs: how many are written at a time, for whom, and from which daemons they follow."""

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.jobs.decisions import Explain, Suspend
from provisioner_operator.core.reconcilers.jobs import EXPLAINED_AT_A_TIME, JobReconciler
from support.builders.core import a_daemon, a_job, at, later_version


def explained(jobs: JobReconciler, now: float) -> list[Explain]:
    return [each for each in jobs.decide(at(now)) if isinstance(each, Explain)]


def test_so_many_explanations_are_under_way_at_most_and_each_that_is_written_makes_room_for_one() -> None:
    jobs = JobReconciler()
    for number in range(EXPLAINED_AT_A_TIME + 2):
        jobs.observe_job(a_job(f"job-{number}"), at(0))
    first = explained(jobs, 1)
    assert len(first) == EXPLAINED_AT_A_TIME
    assert explained(jobs, 2) == []
    assert jobs.next_wake() != at(1).monotonic  # to wake up for the rest would be in vain

    written = first[0]
    jobs.observe_job(later_version(written.job, reason=written.reason, message=written.message), at(2))
    jobs.settled(written, at(2))

    assert len(explained(jobs, 2)) == 1


def test_a_daemon_of_another_namespace_explains_nothing() -> None:
    jobs = JobReconciler()
    jobs.observe_daemon(a_daemon(namespace="other", cordoned=True), at(0))
    jobs.observe_job(a_job(), at(0))

    (explain,) = explained(jobs, 1)

    assert explain.reason is PendingReason.NO_MATCHING_DAEMON


def test_a_job_that_is_suspended_while_its_explanation_is_written_is_not_explained_again() -> None:
    jobs, job = JobReconciler(), a_job()
    jobs.observe_job(job, at(0))
    (explain,) = explained(jobs, 1)

    jobs.observe_job(later_version(job, suspend=True), at(1))
    jobs.settled(explain, at(1))

    assert [type(each) for each in jobs.decide(at(2))] == [Suspend]
    assert explained(jobs, 60) == []
