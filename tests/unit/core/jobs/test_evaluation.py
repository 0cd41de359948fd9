"""Each phase in each of its circumstances: what is due, or when to look again."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, DaemonState, EndReason, Phase
from provisioner_operator.core.jobs.cancellation import CANCEL_MARGIN_SECONDS
from provisioner_operator.core.jobs.decisions import BeginCancel, Cancel, Expire, Fail, Release, Resume, Suspend
from provisioner_operator.core.jobs.evaluation import Circumstances, Verdict, judge
from provisioner_operator.core.jobs.timeouts import ACKNOWLEDGE_SECONDS
from provisioner_operator.core.model.records import Job
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_assigned_job, an_ended_job, at

ALONE = Circumstances()
ONLINE = Circumstances(daemon=a_daemon())
LOST = Circumstances(daemon=a_daemon(), offline=True, lost=True)
CANCELED: dict[str, Any] = {"cancel": True, "canceled_by": "ann", "cancel_reason": "wrong region"}


def test_a_pending_job_is_looked_at_again_when_it_is_overdue() -> None:
    assert judge(a_job(pending_timeout=60), ALONE, at(10)) == Verdict(look_again_in=50)


def test_an_overdue_pending_job_fails_and_says_what_it_waited_for() -> None:
    verdict = judge(a_job(pending_timeout=60, message="No daemon matches."), ALONE, at(60))
    assert isinstance(verdict.decision, Fail)
    assert verdict.decision.reason is EndReason.PENDING_TIMEOUT
    assert verdict.decision.message == (
        "The job did not start within 60 s of its creation (spec.pendingTimeoutSeconds). "
        "It was waiting: No daemon matches."
    )


@pytest.mark.parametrize("job", [a_job(**CANCELED), an_assigned_job(**CANCELED), a_job(suspend=True, **CANCELED)])
def test_the_cancel_of_a_pending_job_goes_before_any_timeout(job: Job) -> None:
    verdict = judge(job, ONLINE, at(1e6))
    assert isinstance(verdict.decision, Cancel)
    assert verdict.decision.reason is CancelReason.NEVER_STARTED
    assert verdict.decision.message == "Canceled by ann: wrong region. The job had not started."


def test_suspending_goes_before_the_timeouts_and_takes_an_assignment_back() -> None:
    assert isinstance(judge(a_job(suspend=True), ALONE, at(1e6)).decision, Suspend)
    assert isinstance(judge(an_assigned_job(suspend=True), ONLINE, at(0)).decision, Suspend)


def test_a_suspended_job_waits_for_nothing() -> None:
    assert judge(a_job(suspend=True, suspended_at=NOON), ALONE, at(1e6)) == Verdict()


def test_a_job_that_is_no_longer_suspended_resumes_before_its_timeout_counts() -> None:
    assert isinstance(judge(a_job(suspended_at=NOON), ALONE, at(1e6)).decision, Resume)


def test_an_assignment_has_its_time_to_be_acknowledged() -> None:
    assert judge(an_assigned_job(assigned=0), ONLINE, at(10)) == Verdict(look_again_in=ACKNOWLEDGE_SECONDS - 10)
    verdict = judge(an_assigned_job(assigned=0), ONLINE, at(ACKNOWLEDGE_SECONDS))
    assert isinstance(verdict.decision, Release)
    assert verdict.decision.why == "Daemon daemon did not acknowledge within 30 s; the job is queued again."


def test_the_pending_timeout_counts_on_while_a_job_is_assigned() -> None:
    assert judge(an_assigned_job(pending_timeout=12), ONLINE, at(10)).look_again_in == 2
    assert isinstance(judge(an_assigned_job(pending_timeout=12), ONLINE, at(12)).decision, Fail)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (ALONE, "is gone"),
        (Circumstances(daemon=a_daemon(), offline=True), "went offline"),
        (Circumstances(daemon=a_daemon(state=DaemonState.DRAINING)), "is draining"),
    ],
    ids=["gone", "offline", "draining"],
)
def test_an_assignment_to_a_daemon_that_cannot_take_it_is_taken_back_at_once(given: Circumstances, why: str) -> None:
    verdict = judge(an_assigned_job(), given, at(1))
    assert isinstance(verdict.decision, Release)
    assert why in verdict.decision.why


def test_a_running_job_is_looked_at_again_at_its_deadline() -> None:
    assert judge(a_running_job(active_deadline=100), ONLINE, at(30)) == Verdict(look_again_in=70)


def test_a_running_job_fails_at_its_deadline() -> None:
    verdict = judge(a_running_job(active_deadline=100), ONLINE, at(100))
    assert isinstance(verdict.decision, Fail)
    assert verdict.decision.reason is EndReason.DEADLINE_EXCEEDED


def test_a_running_job_whose_daemon_is_gone_waits_for_the_certain_loss_whatever_its_deadline() -> None:
    # Until then its run may live, and an ended job no longer shows that to the next controller.
    assert judge(a_running_job(active_deadline=100), ALONE, at(1000)) == Verdict()
    assert isinstance(judge(a_running_job(active_deadline=100), LOST, at(1000)).decision, Fail)
    # One that no process acknowledged, whoever wrote that, has no run.
    assert isinstance(judge(a_running_job(active_deadline=100, instance=None), ALONE, at(1000)).decision, Fail)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CANCELING])
def test_the_deadline_does_not_fail_what_is_canceled(phase: Phase) -> None:
    job = a_running_job(phase=phase, active_deadline=100, **CANCELED)
    assert judge(job, Circumstances(daemon=a_daemon(), cancel_seen=at(1000).monotonic), at(1000)).decision is None


def test_a_running_job_of_a_lost_daemon_fails() -> None:
    verdict = judge(a_running_job(), LOST, at(1))
    assert isinstance(verdict.decision, Fail)
    assert verdict.decision.reason is EndReason.DAEMON_LOST


def test_missed_heartbeats_that_are_not_yet_a_loss_leave_a_running_job_alone() -> None:
    assert judge(a_running_job(), Circumstances(daemon=a_daemon(), offline=True), at(1)).decision is None


def test_the_cancel_of_a_lost_daemons_job_is_finished_for_it() -> None:
    verdict = judge(a_running_job(phase=Phase.CANCELING, **CANCELED), LOST, at(1))
    assert isinstance(verdict.decision, Cancel)
    assert verdict.decision.reason is CancelReason.DAEMON_GONE


@pytest.mark.parametrize("given", [LOST, Circumstances(daemon=a_daemon(), cancel_seen=float("-inf"))])
def test_a_cancel_that_no_daemon_began_goes_through_canceling_first(given: Circumstances) -> None:
    assert isinstance(judge(a_running_job(**CANCELED), given, at(1)).decision, BeginCancel)


def test_a_daemon_has_its_grace_and_a_margin_to_finish_a_cancel() -> None:
    given = Circumstances(daemon=a_daemon(cancel_grace=180), cancel_seen=at(0).monotonic)
    job = a_running_job(phase=Phase.CANCELING, **CANCELED)
    due = 180 + CANCEL_MARGIN_SECONDS
    assert judge(job, given, at(100)) == Verdict(look_again_in=due - 100)
    verdict = judge(job, given, at(due))
    assert isinstance(verdict.decision, Cancel)
    assert verdict.decision.reason is CancelReason.DAEMON_UNRESPONSIVE


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.CANCELED])
def test_an_ended_job_is_only_ever_deleted_when_its_time_is_over(phase: Phase) -> None:
    assert judge(an_ended_job(phase=phase, ttl=60, cancel=True), LOST, at(10)) == Verdict(look_again_in=50)
    assert isinstance(judge(an_ended_job(phase=phase, ttl=60), LOST, at(60)).decision, Expire)
    assert judge(an_ended_job(phase=phase), LOST, at(1e9)) == Verdict()
