"""Explanations of waiting jobs: how many are written at a time, for whom, and from which daemons they follow."""

from provisioner_operator.api.v1alpha1.enums import PendingReason, Phase
from provisioner_operator.core.jobs.decisions import Explain, Suspend
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.scheduling.explanation_places import PLACES
from provisioner_operator.core.scheduling.explanation_timing import PATIENCE_SECONDS
from support.builders.core import a_daemon, a_job, a_running_job, at, later_version


def explained(jobs: JobReconciler, now: float) -> list[Explain]:
    return [each for each in jobs.decide(at(now)) if isinstance(each, Explain)]


def written(jobs: JobReconciler, now: float) -> int:
    """Carry out all explanations that are due; return their number."""
    total = 0
    while found := explained(jobs, now):
        total += len(found)
        for each in found:
            jobs.observe_job(later_version(each.job, reason=each.reason, message=each.message), at(now))
            jobs.accepted(each)
            jobs.settled(each, at(now))
    return total


def test_a_namespace_has_half_of_the_explanations_under_way_and_each_that_is_written_makes_room_for_one() -> None:
    jobs = JobReconciler()
    for number in range(PLACES):
        jobs.observe_job(a_job(f"job-{number}"), at(0))
    first = explained(jobs, 1)
    assert len(first) == PLACES // 2
    assert explained(jobs, 2) == []
    assert jobs.next_wake() != at(1).monotonic  # to wake up for the rest would be in vain

    done = first[0]
    jobs.observe_job(later_version(done.job, reason=done.reason, message=done.message), at(2))
    jobs.settled(done, at(2))

    assert len(explained(jobs, 2)) == 1


def test_explanations_that_hang_hold_up_none_of_another_namespace() -> None:
    jobs = JobReconciler()
    for tenant in range(10):
        for number in range(PLACES):
            jobs.observe_job(a_job(f"{tenant}-{number}", namespace=f"tenant-{tenant}"), at(0))
    assert explained(jobs, 1)  # and none of them is answered

    jobs.observe_job(a_job("other", namespace="other"), at(1))

    (explain,) = explained(jobs, 2)
    assert explain.job.name == "other"


def test_all_waiting_explanations_are_written_in_the_end_and_those_of_jobs_that_left_are_not() -> None:
    jobs = JobReconciler()
    for tenant in range(3):
        for number in range(PLACES):
            jobs.observe_job(a_job(f"{tenant}-{number}", namespace=f"tenant-{tenant}"), at(0))
    first = explained(jobs, 1)
    jobs.job_deleted(f"uid-of-0-{PLACES - 1}", at(1))
    for each in first:
        jobs.observe_job(later_version(each.job, reason=each.reason, message=each.message), at(1))
        jobs.settled(each, at(1))

    assert len(first) + written(jobs, 1) == 3 * PLACES - 1


def test_a_daemon_of_another_namespace_explains_nothing() -> None:
    jobs = JobReconciler()
    jobs.observe_daemon(a_daemon(namespace="other", cordoned=True), at(0))
    jobs.observe_job(a_job(), at(0))

    (explain,) = explained(jobs, 1)

    assert explain.reason is PendingReason.NO_MATCHING_DAEMON


def test_daemons_that_join_cost_no_write_for_jobs_that_remain_stuck() -> None:
    jobs = JobReconciler()
    jobs.observe_daemon(a_daemon("linux-5", tags={"os": "linux"}), at(0))
    for number in range(200):
        jobs.observe_job(a_job(f"job-{number}", tags={"gpu": "a100"}), at(0))
    assert written(jobs, 1) == 200

    for number in range(5):
        jobs.observe_daemon(a_daemon(f"linux-{number}", tags={"os": "linux"}), at(2 + 2 * number))
        assert written(jobs, 3 + 2 * number) == 0


def test_the_third_job_of_a_workspace_is_not_written_to_when_the_first_ends() -> None:
    jobs = JobReconciler()
    first = a_running_job("dev-1", workspace="dev", active_deadline=1e6)
    for job in (first, *(a_job(f"dev-{number}", workspace="dev", created=number) for number in (2, 3))):
        jobs.observe_job(job, at(0))
    assert written(jobs, PATIENCE_SECONDS) == 2

    jobs.observe_job(later_version(first, phase=Phase.COMPLETED), at(40))

    assert explained(jobs, 41) == []
    (second,) = explained(jobs, 43)
    assert (second.job.name, second.reason) == ("dev-2", PendingReason.NO_MATCHING_DAEMON)
    third = jobs.job("uid-of-dev-3")
    assert third is not None
    assert "dev-1" not in (third.message or "")


def test_a_job_that_is_suspended_while_its_explanation_is_written_is_not_explained_again() -> None:
    jobs, job = JobReconciler(), a_job()
    jobs.observe_job(job, at(0))
    (explain,) = explained(jobs, 1)

    jobs.observe_job(later_version(job, suspend=True), at(1))
    jobs.settled(explain, at(1))

    assert [type(each) for each in jobs.decide(at(2))] == [Suspend]
    assert explained(jobs, 60) == []
