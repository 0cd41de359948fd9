"""Requests about a job: valid only for the job that was read, and only where they change something."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.requests import (
    CancelRequest,
    JobState,
    cancel_patch,
    kill_patch,
    priority_patch,
    suspend_patch,
)
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError
from provisioner_operator.kube.object_states import job_state

IF_PENDING = CancelRequest(expected=Phase.PENDING)


def a_job(phase: str = "Pending", daemon: str | None = None, **spec: Any) -> JobState:
    status = {"phase": phase, "assignment": {"daemon": daemon} if daemon else None}
    return job_state({"metadata": {"name": "dev-7", "uid": "u"}, "spec": spec, "status": status})


def steps(options: CancelRequest, job: JobState) -> list[tuple[object, object, object]]:
    return [(step["op"], step["path"], step["value"]) for step in cancel_patch(job, options).operations()]


def test_a_cancel_is_valid_only_for_the_job_that_was_read() -> None:
    assert steps(CancelRequest(reason="wrong region"), a_job()) == [
        ("test", "/metadata/uid", "u"),
        ("add", "/spec/cancel", True),
        ("add", "/spec/cancelReason", "wrong region"),
    ]


def test_if_pending_is_tested_by_the_api_server() -> None:
    assert ("test", "/status/phase", "Pending") in steps(IF_PENDING, a_job())
    with pytest.raises(NotPossibleError, match="no longer pending: it is Running"):
        cancel_patch(a_job("Running"), IF_PENDING)


def test_a_cancel_can_be_restricted_to_a_run() -> None:
    while_running = CancelRequest(expected=Phase.RUNNING)
    assert ("test", "/status/phase", "Running") in steps(while_running, a_job("Running"))
    with pytest.raises(NotPossibleError, match="It is not Running: it is Pending") as raised:
        cancel_patch(a_job(), while_running)
    assert raised.value.cause is Cause.UNEXPECTED_PHASE


def test_force_hastens_a_cancel_that_was_requested_before_and_keeps_its_reason() -> None:
    job = a_job("Canceling", cancel=True, cancelMode="Graceful")
    assert steps(CancelRequest(force=True, reason="late"), job) == [
        ("test", "/metadata/uid", "u"),
        ("add", "/spec/cancelMode", "Force"),
    ]


@pytest.mark.parametrize(
    ("job", "options"),
    [
        (a_job("Canceled", cancel=True), CancelRequest()),
        (a_job("Running", cancel=True), CancelRequest()),
        (a_job("Canceling", cancel=True, cancelMode="Force"), CancelRequest(force=True)),
        (a_job("Canceling", cancel=True), CancelRequest(expected=Phase.RUNNING)),
        (a_job("Running", cancel=True), IF_PENDING),
    ],
)
def test_a_cancel_that_was_requested_before_is_not_written_again(job: JobState, options: CancelRequest) -> None:
    with pytest.raises(NothingToChangeError):
        cancel_patch(job, options)


def test_force_is_restricted_to_the_expected_phase_also_after_a_cancel() -> None:
    job = a_job("Canceling", cancel=True)
    with pytest.raises(NotPossibleError, match="It is not Running: it is Canceling"):
        cancel_patch(job, CancelRequest(force=True, expected=Phase.RUNNING))


@pytest.mark.parametrize("phase", ["Completed", "Failed"])
def test_a_job_that_ended_in_another_way_cannot_be_canceled(phase: str) -> None:
    with pytest.raises(NotPossibleError, match=f"has ended: it is {phase}"):
        cancel_patch(a_job(phase), CancelRequest())


@pytest.mark.parametrize("suspended", [True, False])
def test_the_suspension_changes_only_while_this_very_job_is_pending(*, suspended: bool) -> None:
    patch = suspend_patch(a_job(suspend=not suspended), suspended=suspended)
    assert patch.tests == (("/metadata/uid", "u"), ("/status/phase", "Pending"))
    assert patch.sets == (("/spec/suspend", suspended),)


@pytest.mark.parametrize(("suspended", "message"), [(True, "is suspended already"), (False, "is not suspended")])
def test_a_job_that_is_as_requested_is_left_alone(message: str, *, suspended: bool) -> None:
    with pytest.raises(NothingToChangeError, match=message):
        suspend_patch(a_job(suspend=suspended), suspended=suspended)


@pytest.mark.parametrize(
    ("phase", "message", "cause"),
    [
        ("Running", "It is Running: only a pending job can be suspended", Cause.STARTED),
        ("Failed", "It has ended: it is Failed", Cause.ENDED),
    ],
)
def test_a_job_that_has_left_the_queue_cannot_be_suspended(phase: str, message: str, cause: Cause) -> None:
    with pytest.raises(NotPossibleError, match=message) as raised:
        suspend_patch(a_job(phase), suspended=True)
    assert raised.value.cause is cause


def test_the_priority_changes_only_while_this_very_job_is_pending() -> None:
    patch = priority_patch(a_job(priority=1), 5)
    assert patch.tests == (("/metadata/uid", "u"), ("/status/phase", "Pending"))
    assert patch.sets == (("/spec/priority", 5),)
    with pytest.raises(NothingToChangeError, match="has priority 0 already"):
        priority_patch(a_job(), 0)
    with pytest.raises(NotPossibleError, match="only a pending job can be moved in the queue"):
        priority_patch(a_job("Running"), 5)


def test_a_run_is_killed_only_while_it_is_on_this_daemon() -> None:
    patch = kill_patch(a_job("Running", "d1"), "u", "d1", "maintenance")
    assert patch.tests == (("/metadata/uid", "u"), ("/status/assignment/daemon", "d1"))
    assert patch.sets == (
        ("/spec/cancel", True),
        ("/spec/cancelMode", "Force"),
        ("/spec/cancelReason", "maintenance"),
    )


def test_the_reason_of_an_earlier_cancel_stays_when_its_run_is_killed() -> None:
    patch = kill_patch(a_job("Running", "d1", cancel=True), "u", "d1", "maintenance")
    assert [path for path, _ in patch.sets] == ["/spec/cancel", "/spec/cancelMode"]


@pytest.mark.parametrize(
    ("job", "uid"),
    [(a_job("Completed", "d1"), "u"), (a_job("Running", "d2"), "u"), (a_job("Running", "d1"), "uid-of-an-earlier-job")],
)
def test_a_job_that_is_not_there_any_more_is_not_killed(job: JobState, uid: str) -> None:
    with pytest.raises(NothingToChangeError, match="does not run there any more"):
        kill_patch(job, uid, "d1", "maintenance")
