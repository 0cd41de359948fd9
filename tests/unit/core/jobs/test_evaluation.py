"""Each phase in each of its circumstances: what is due, or when to look again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, DaemonState, EndReason, PendingReason, Phase
from provisioner_operator.core.jobs.cancellation import CANCEL_MARGIN_SECONDS
from provisioner_operator.core.jobs.decisions import (
    Cancel,
    Fail,
    Release,
    Resume,
    Suspend,
    Withdraw,
)
from provisioner_operator.core.jobs.evaluation import Context, Evaluation, evaluate
from provisioner_operator.core.jobs.timeouts import ACKNOWLEDGE_SECONDS
from provisioner_operator.core.model.records import Job
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_assigned_job, at

ALONE = Context()
ONLINE = Context(daemon=a_daemon())
LOST = Context(daemon=a_daemon(), offline=True, lost=True)
CANCELED: dict[str, Any] = {"cancel": True, "canceled_by": "ann", "cancel_reason": "wrong region"}


def test_a_pending_job_is_looked_at_again_when_it_is_overdue() -> None:
    assert evaluate(a_job(pending_timeout=60), ALONE, at(10)) == Evaluation(requeue_after=50)


def test_an_overdue_pending_job_fails_and_says_what_it_waited_for() -> None:
    evaluation = evaluate(a_job(pending_timeout=60, message="No daemon matches."), ALONE, at(60))
    assert isinstance(evaluation.decision, Fail)
    assert evaluation.decision.reason is EndReason.PENDING_TIMEOUT
    assert evaluation.decision.message == (
        "The job did not start within 60 s of its creation (spec.pendingTimeoutSeconds). "
        "It was waiting: No daemon matches."
    )


@pytest.mark.parametrize("job", [a_job(**CANCELED), an_assigned_job(**CANCELED), a_job(suspend=True, **CANCELED)])
def test_the_cancel_of_a_pending_job_goes_before_any_timeout(job: Job) -> None:
    evaluation = evaluate(job, ONLINE, at(1e6))
    assert isinstance(evaluation.decision, Cancel)
    assert evaluation.decision.reason is CancelReason.NEVER_STARTED
    assert evaluation.decision.message == "Canceled by ann: wrong region. The job had not started."


def test_suspending_goes_before_the_timeouts_and_takes_an_assignment_back() -> None:
    assert isinstance(evaluate(a_job(suspend=True), ALONE, at(1e6)).decision, Suspend)
    assert isinstance(evaluate(an_assigned_job(suspend=True), ONLINE, at(0)).decision, Suspend)


@pytest.mark.parametrize("job", [a_job, an_assigned_job])
def test_a_pending_job_that_is_being_deleted_is_kept_from_starting_and_says_so_once(job: Callable[..., Job]) -> None:
    assert isinstance(evaluate(job(deleting=True), ONLINE, at(1e6)).decision, Withdraw)
    reported = a_job(deleting=True, reason=PendingReason.BEING_DELETED, pending_timeout=60)
    assert evaluate(reported, ONLINE, at(10)) == Evaluation(requeue_after=50)


def test_the_cancel_of_a_job_that_is_being_deleted_ends_it() -> None:
    assert isinstance(evaluate(a_job(deleting=True, **CANCELED), ALONE, at(1)).decision, Cancel)


def test_a_running_job_that_is_being_deleted_keeps_its_deadline() -> None:
    assert evaluate(a_running_job(deleting=True, active_deadline=100), ONLINE, at(30)) == Evaluation(requeue_after=70)


def test_a_suspended_job_waits_for_nothing() -> None:
    assert evaluate(a_job(suspend=True, suspended_at=NOON), ALONE, at(1e6)) == Evaluation()


def test_a_job_that_is_no_longer_suspended_resumes_before_its_timeout_counts() -> None:
    assert isinstance(evaluate(a_job(suspended_at=NOON), ALONE, at(1e6)).decision, Resume)


def test_an_assignment_has_its_time_to_be_acknowledged() -> None:
    assert evaluate(an_assigned_job(assigned=0), ONLINE, at(10)) == Evaluation(requeue_after=ACKNOWLEDGE_SECONDS - 10)
    evaluation = evaluate(an_assigned_job(assigned=0), ONLINE, at(ACKNOWLEDGE_SECONDS))
    assert isinstance(evaluation.decision, Release)
    assert evaluation.decision.why == "Daemon daemon did not acknowledge within 30 s; the job is queued again."


def test_the_pending_timeout_counts_on_while_a_job_is_assigned() -> None:
    assert evaluate(an_assigned_job(pending_timeout=12), ONLINE, at(10)).requeue_after == 2
    assert isinstance(evaluate(an_assigned_job(pending_timeout=12), ONLINE, at(12)).decision, Fail)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (ALONE, "is gone"),
        (Context(daemon=a_daemon(), offline=True), "went offline"),
        (Context(daemon=a_daemon(state=DaemonState.DRAINING)), "is draining"),
        (Context(daemon=a_daemon(deleting=True)), "is being deleted"),
    ],
    ids=["gone", "offline", "draining", "being deleted"],
)
def test_an_assignment_to_a_daemon_that_cannot_take_it_is_taken_back_at_once(given: Context, why: str) -> None:
    evaluation = evaluate(an_assigned_job(), given, at(1))
    assert isinstance(evaluation.decision, Release)
    assert why in evaluation.decision.why


def test_a_running_job_is_looked_at_again_at_its_deadline() -> None:
    assert evaluate(a_running_job(active_deadline=100), ONLINE, at(30)) == Evaluation(requeue_after=70)


def test_a_running_job_fails_at_its_deadline() -> None:
    evaluation = evaluate(a_running_job(active_deadline=100), ONLINE, at(100))
    assert isinstance(evaluation.decision, Fail)
    assert evaluation.decision.reason is EndReason.DEADLINE_EXCEEDED


def test_a_running_job_whose_daemon_is_gone_waits_for_the_certain_loss_whatever_its_deadline() -> None:
    # Until then its run may live, and an ended job no longer shows that to the next controller.
    assert evaluate(a_running_job(active_deadline=100), ALONE, at(1000)) == Evaluation()
    assert isinstance(evaluate(a_running_job(active_deadline=100), LOST, at(1000)).decision, Fail)
    # One that no process acknowledged, whoever wrote that, has no run.
    assert isinstance(evaluate(a_running_job(active_deadline=100, instance=None), ALONE, at(1000)).decision, Fail)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CANCELING])
def test_the_deadline_does_not_fail_what_is_canceled(phase: Phase) -> None:
    job = a_running_job(phase=phase, active_deadline=100, **CANCELED)
    assert evaluate(job, Context(daemon=a_daemon(), cancel_seen=at(1000).monotonic), at(1000)).decision is None


def test_a_running_job_of_a_lost_daemon_fails() -> None:
    evaluation = evaluate(a_running_job(), LOST, at(1))
    assert isinstance(evaluation.decision, Fail)
    assert evaluation.decision.reason is EndReason.DAEMON_LOST
    assert evaluation.decision.message.startswith("Daemon daemon was lost while it ran the job.")


def test_the_lost_daemon_of_a_job_that_names_none_is_unknown() -> None:
    evaluation = evaluate(replace(a_running_job(), assignment=None), LOST, at(1))
    assert isinstance(evaluation.decision, Fail)
    assert evaluation.decision.message.startswith("Daemon unknown was lost")


def test_nothing_is_concluded_about_a_daemon_that_cannot_be_parsed_but_from_the_end_of_its_pod() -> None:
    given = Context(unreadable=True)
    assert evaluate(a_running_job(active_deadline=100), given, at(1000)) == Evaluation()
    assert evaluate(a_running_job(phase=Phase.CANCELING, **CANCELED), given, at(1e6)) == Evaluation()
    ended = evaluate(a_running_job(), Context(unreadable=True, lost=True, pod_ended="OOMKilled"), at(1)).decision
    assert isinstance(ended, Fail)


def test_a_daemon_that_cannot_be_parsed_has_its_time_to_acknowledge() -> None:
    given = Context(unreadable=True)
    assert evaluate(an_assigned_job(), given, at(10)) == Evaluation(requeue_after=ACKNOWLEDGE_SECONDS - 10)
    assert isinstance(evaluate(an_assigned_job(), given, at(ACKNOWLEDGE_SECONDS)).decision, Release)


def test_missed_heartbeats_that_are_not_yet_a_loss_leave_a_running_job_alone() -> None:
    assert evaluate(a_running_job(), Context(daemon=a_daemon(), offline=True), at(1)).decision is None


def test_the_cancel_of_a_lost_daemons_job_is_finished_for_it() -> None:
    evaluation = evaluate(a_running_job(phase=Phase.CANCELING, **CANCELED), LOST, at(1))
    assert isinstance(evaluation.decision, Cancel)
    assert evaluation.decision.reason is CancelReason.DAEMON_GONE


@pytest.mark.parametrize("given", [LOST, Context(daemon=a_daemon(), cancel_seen=float("-inf"))])
def test_a_cancel_that_no_daemon_began_is_finished_with_one_write_too(given: Context) -> None:
    assert isinstance(evaluate(a_running_job(**CANCELED), given, at(1)).decision, Cancel)


def test_a_daemon_has_its_grace_and_a_margin_to_finish_a_cancel() -> None:
    given = Context(daemon=a_daemon(cancel_grace=180), cancel_seen=at(0).monotonic)
    job = a_running_job(phase=Phase.CANCELING, **CANCELED)
    due = 180 + CANCEL_MARGIN_SECONDS
    assert evaluate(job, given, at(100)) == Evaluation(requeue_after=due - 100)
    evaluation = evaluate(job, given, at(due))
    assert isinstance(evaluation.decision, Cancel)
    assert evaluation.decision.reason is CancelReason.DAEMON_UNRESPONSIVE
