"""Writes about jobs that the API server refuses: their pauses, and which of them are news."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.jobs.decisions import Assign, Explain, Fail
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import a_daemon, a_job, at, later_version

NO = Refusal("Forbidden", "a policy says no")


class ObservedJob:
    """The reconciler of one job, and the answers to what it decides."""

    def __init__(self, job: Job, *daemons: Daemon) -> None:
        self.jobs = JobReconciler()
        self.jobs.observe_job(job, at(0))
        for daemon in daemons:
            self.jobs.observe_daemon(daemon, at(0))

    def decided(self, now: float = 0) -> list[JobReconcilerDecision]:
        return list(self.jobs.decide(at(now)))

    def refuse(self, decision: JobReconcilerDecision, now: float = 0) -> bool:
        is_news = self.jobs.refused(decision, NO, at(now))
        self.jobs.settled(decision, at(now))
        return is_news

    def explain(self, now: float) -> Job:
        """Accept the explanation that is due, and return the job with it."""
        (decision,) = self.decided(now)
        assert isinstance(decision, Explain)
        explained = later_version(decision.job, reason=decision.reason, message=decision.message)
        self.jobs.observe_job(explained, at(now))
        self.jobs.accepted(decision)
        self.jobs.settled(decision, at(now))
        return explained


def test_a_refused_assignment_is_made_again_after_a_pause_that_grows() -> None:
    job = ObservedJob(a_job(), a_daemon())
    (assign,) = job.decided()
    assert isinstance(assign, Assign)
    assert job.refuse(assign)
    assert job.decided(0.9) == []
    assert job.decided(1) == [assign]
    assert not job.refuse(assign, 1)
    assert job.decided(2.9) == []
    assert job.decided(3) == [assign]


def test_the_pause_starts_over_after_a_write_that_was_accepted() -> None:
    job = ObservedJob(a_job(), a_daemon())
    (assign,) = job.decided()
    job.refuse(assign)
    (again,) = job.decided(1)

    job.jobs.accepted(again)

    assert job.refuse(again, 1)  # news again, and with the first pause
    assert job.decided(2) == [assign]


def test_a_refused_explanation_is_written_again_after_its_pause_and_holds_back_no_assignment() -> None:
    job = ObservedJob(a_job())
    (explain,) = job.decided(1)
    assert isinstance(explain, Explain)
    assert job.refuse(explain, 1)
    (again,) = job.decided(2)
    assert again == explain
    assert not job.refuse(again, 2)
    assert job.decided(3.5) == []

    job.jobs.observe_daemon(a_daemon(), at(3.5))

    assert [type(each) for each in job.decided(3.5)] == [Assign]


def test_a_job_that_is_due_for_an_explanation_in_its_pause_waits_for_the_pauses_end() -> None:
    job = ObservedJob(a_job())
    for now in (1.0, 2.0, 4.0):
        (explain,) = job.decided(now)
        job.refuse(explain, now)
    job.jobs.observe_daemon(a_daemon(cordoned=True), at(5))

    assert job.decided(6) == []  # the daemons have changed, and the pause is not over
    assert job.decided(7.9) == []
    (anew,) = job.decided(8)

    assert isinstance(anew, Explain)
    assert anew.reason is PendingReason.DAEMONS_CORDONED


def test_the_pause_of_explanations_starts_over_after_one_that_was_accepted() -> None:
    job = ObservedJob(a_job())
    (explain,) = job.decided(1)
    job.refuse(explain, 1)
    (again,) = job.decided(2)

    job.jobs.accepted(again)

    assert job.refuse(again, 2)
    assert job.decided(3) == [explain]


def test_a_refusal_about_a_job_that_is_gone_is_no_news() -> None:
    job = ObservedJob(a_job(), a_daemon())
    (assign,) = job.decided()
    job.jobs.job_deleted("uid-of-job", at(0))

    assert not job.refuse(assign)

    assert job.decided(10) == []


@pytest.mark.parametrize(
    "change",
    [{"generation": 2}, {"generation": 2, "message": "No other daemon matches."}, {}],
    ids=["its spec", "its spec with its explanation", "its labels"],
)
def test_an_explanation_does_not_end_the_pause_of_another_write_but_a_user_does(change: dict[str, Any]) -> None:
    job = ObservedJob(a_job(pending_timeout=10))
    job.explain(1)
    for now in (10.0, 11.0, 13.0):
        (fail,) = job.decided(now)
        assert isinstance(fail, Fail)
        job.refuse(fail, now)
    job.jobs.observe_daemon(a_daemon(cordoned=True), at(13))
    explained = job.explain(16)

    assert job.decided(16.9) == []
    job.jobs.observe_job(later_version(explained, **change), at(16.9))

    assert [type(each) for each in job.decided(16.9)] == [Fail]


def test_a_change_of_the_job_ends_its_pause() -> None:
    job = ObservedJob(a_job(), a_daemon())
    for now in (0.0, 1.0, 3.0):
        (assign,) = job.decided(now)
        job.refuse(assign, now)

    job.jobs.observe_job(later_version(a_job(), priority=5), at(3.1))

    assert [type(each) for each in job.decided(3.1)] == [Assign]
