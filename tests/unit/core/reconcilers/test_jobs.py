"""Assignment, explanation and deletion of jobs, by what is observed. The simulation covers longer stories."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, PendingReason, Phase
from provisioner_operator.core.daemons.decisions import CheckDaemon
from provisioner_operator.core.jobs.cancellation import CANCEL_MARGIN_SECONDS
from provisioner_operator.core.jobs.decisions import Cancel, Expire, Explain, RecordGeneration, Withdraw
from provisioner_operator.core.model.backoff import Refusal
from support.builders.core import (
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    an_assignment,
    an_ended_job,
    at,
    later_version,
)
from support.builders.observed_jobs import ObservedJobs, ended


def test_a_job_goes_to_an_idle_daemon_once() -> None:
    observed = ObservedJobs(a_daemon(), a_job())
    assert observed.assigned() == [("job", "daemon")]
    assert observed.decided() == []


def test_while_an_assignment_is_under_way_its_slot_is_taken() -> None:
    observed = ObservedJobs(a_daemon(), a_job("first"), a_job("second", created=1))
    assert observed.assigned() == [("first", "daemon")]
    assert observed.assigned() == []


def test_an_assignment_that_failed_is_made_again() -> None:
    observed = ObservedJobs(a_daemon(), a_job())
    observed.decided()
    observed.settled("uid-of-job", 0)
    assert observed.assigned() == [("job", "daemon")]


def test_when_a_job_ends_the_next_takes_its_slot() -> None:
    running = a_running_job("first")
    observed = ObservedJobs(a_daemon(runs=(running,)), running, a_job("second"))
    assert observed.assigned() == []
    observed.see(ended(running))
    assert observed.assigned() == [("second", "daemon")]


def test_a_cordoned_or_draining_daemon_gets_nothing_new() -> None:
    observed = ObservedJobs(
        a_daemon("cordoned", cordoned=True), a_daemon("draining", state=DaemonState.DRAINING), a_job()
    )
    assert observed.assigned() == []


def test_a_job_that_nobody_can_take_is_explained_within_seconds_and_once() -> None:
    job = a_job(tags={"gpu": "1"})
    observed = ObservedJobs(a_daemon(), job)
    assert observed.decided(0) == []
    (explain,) = observed.decided(1)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.NO_MATCHING_DAEMON
    observed.written(later_version(job, reason=explain.reason, message=explain.message), now=1)
    assert observed.decided(40) == [CheckDaemon(a_daemon())]


def test_an_explanation_whose_write_failed_is_given_again() -> None:
    observed = ObservedJobs(a_job())
    (explain,) = observed.decided(1)
    observed.settled("uid-of-job", 2)
    assert observed.decided(2) == []
    assert observed.decided(3) == [explain]


def test_a_job_whose_assignment_was_refused_is_explained_if_no_daemon_can_take_it_now() -> None:
    daemon, job = a_daemon(), a_job()
    observed = ObservedJobs(daemon, job)
    assert observed.assigned(0) == [("job", "daemon")]
    observed.see(later_version(job), now=1)
    observed.mirror.daemon_deleted(daemon.uid, at(1))
    observed.settled(job.uid, 1)
    assert observed.decided(1) == []
    (explain,) = observed.decided(2)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.NO_MATCHING_DAEMON


def test_a_job_that_waited_for_its_workspace_learns_what_it_waits_for_then() -> None:
    running, job = a_running_job("first", workspace="dev"), a_job("second", workspace="dev")
    observed = ObservedJobs(a_daemon(runs=(running,)), running, job)
    observed.decided(0)
    (explain,) = observed.decided(30)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.WORKSPACE_BUSY
    observed.written(later_version(job, reason=explain.reason, message=explain.message), now=30)
    observed.see(ended(running), a_job("urgent", priority=1), now=31)
    assert observed.assigned(31) == [("urgent", "daemon")]
    (explained,) = observed.decided(32)
    assert isinstance(explained, Explain)
    assert explained.reason is PendingReason.DAEMONS_BUSY


def test_a_cancel_has_its_grace_from_when_it_was_seen() -> None:
    asked, early = a_running_job("asked", cancel=True, phase=Phase.CANCELING), a_running_job("early")
    daemon = a_daemon(runs=(asked, early), capacity=2, cancel_grace=20, lost_after=3600)
    observed = ObservedJobs(daemon, asked, early)
    assert observed.decided(19 + CANCEL_MARGIN_SECONDS) == []
    observed.see(later_version(early, cancel=True, phase=Phase.CANCELING), now=30)
    (cancel,) = observed.decided(20 + CANCEL_MARGIN_SECONDS)
    assert isinstance(cancel, Cancel)
    assert cancel.job.name == "asked"


def test_a_job_whose_explanation_is_being_written_is_not_assigned_meanwhile() -> None:
    job = a_job()
    observed = ObservedJobs(job)
    (explain,) = observed.decided(1)
    assert isinstance(explain, Explain)
    observed.see(a_daemon(), now=1)
    assert observed.assigned(1) == []
    observed.written(later_version(job, reason=explain.reason, message=explain.message), now=1)
    assert observed.assigned(1) == [("job", "daemon")]


def test_a_job_that_is_being_deleted_is_withdrawn_once_and_leaves_its_place_to_the_next() -> None:
    job, following = a_job("one", workspace="dev"), a_job("two", workspace="dev", created=1)
    observed = ObservedJobs(deleted := later_version(job, deleting=True), following)
    (withdraw,) = observed.decided()
    assert isinstance(withdraw, Withdraw)
    observed.written(later_version(deleted, reason="BeingDeleted"))
    assert observed.decided() == []
    observed.see(a_daemon())
    assert observed.assigned() == [("two", "daemon")]


def test_a_daemon_that_is_being_deleted_gets_no_jobs() -> None:
    assert ObservedJobs(a_daemon(deleting=True), a_job()).assigned() == []


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.CANCELED])
def test_an_ended_job_is_only_ever_deleted_when_its_time_is_over(phase: Phase) -> None:
    mortal, immortal = an_ended_job("a", phase=phase, ttl=60, cancel=True), an_ended_job("b", phase=phase)
    observed = ObservedJobs(mortal, immortal, an_ended_job("c", phase=phase, ttl=60, deleting=True))
    assert observed.decided(10) == []
    assert observed.wake() == 60
    (expire,) = observed.decided(1e9)
    assert isinstance(expire, Expire)
    assert expire.display_name == "acme/a"


@pytest.mark.parametrize("change", [{"ttl": None}, {"deleting": True}], ids=["kept after all", "being deleted"])
def test_an_ended_job_that_is_to_be_kept_or_is_being_deleted_is_not_deleted(change: dict[str, Any]) -> None:
    observed = ObservedJobs(job := an_ended_job(ttl=60))
    observed.see(later_version(job, **change))
    observed.see(job)
    assert observed.decided(60) == []


def test_an_ended_job_is_deleted_when_its_time_is_over() -> None:
    observed = ObservedJobs(an_ended_job(finished=0, ttl=60))
    assert observed.decided(0) == []
    assert observed.wake() == 60
    (expire,) = observed.decided(60)
    assert isinstance(expire, Expire)
    observed.mirror.job_deleted("uid-of-job", at(60))
    observed.settled("uid-of-job", 60)
    assert observed.decided(61) == []
    assert observed.wake() is None


def test_a_change_of_an_ended_job_costs_one_write() -> None:
    job = an_ended_job(generation=2, observed_generation=2)
    observed = ObservedJobs(job)
    assert observed.decided() == []

    observed.see(changed := later_version(job, generation=3, ttl=60))
    (record,) = observed.decided()
    assert isinstance(record, RecordGeneration)
    assert record.patch(NOON).tests == (("/metadata/uid", job.uid), ("/metadata/generation", 3))
    observed.written(later_version(changed, observed_generation=3))
    assert observed.decided() == []
    assert observed.wake() == 60


def test_a_change_of_a_job_that_is_being_deleted_is_not_recorded() -> None:
    job = an_ended_job(generation=2, observed_generation=1, deleting=True)
    assert ObservedJobs(job).decided() == []


def test_an_ended_job_is_deleted_in_time_though_the_record_of_its_change_is_refused() -> None:
    observed = ObservedJobs(an_ended_job(generation=2, observed_generation=1, ttl=60))
    (record,) = observed.decided()
    assert isinstance(record, RecordGeneration)
    observed.mirror.refused(record, Refusal("Forbidden", "no"), at(0))
    observed.settled("uid-of-job")
    (expire,) = observed.decided(1000)
    assert isinstance(expire, Expire)


def test_the_slot_of_an_earlier_assignment_is_free_even_if_its_end_was_not_seen() -> None:
    job = an_assigned_job()
    observed = ObservedJobs(a_daemon(), job)
    elsewhere = an_assignment("other", instance="process-of-other")
    observed.see(later_version(job, phase=Phase.COMPLETED, assignment=elsewhere, started=NOON, finished=NOON))
    observed.see(a_job("next"))
    assert observed.assigned() == [("next", "daemon")]
