"""The request for cancellation: valid only for the job that was read, and only where it changes something."""

from typing import Any

import pytest

from provisioner_operator.cli.api.objects import JobState, job_state
from provisioner_operator.cli.errors import NothingToDoError, PreconditionError
from provisioner_operator.cli.jobs.cancel import CancelOptions, cancel_patch


def a_job(phase: str = "Pending", **spec: Any) -> JobState:
    return job_state({"metadata": {"name": "dev-7", "uid": "u"}, "spec": spec, "status": {"phase": phase}})


def steps(options: CancelOptions, job: JobState) -> list[tuple[object, object, object]]:
    return [(step["op"], step["path"], step["value"]) for step in cancel_patch(job, options).operations()]


def test_a_cancel_is_valid_only_for_the_job_that_was_read() -> None:
    assert steps(CancelOptions(reason="wrong region"), a_job()) == [
        ("test", "/metadata/uid", "u"),
        ("add", "/spec/cancel", True),
        ("add", "/spec/cancelReason", "wrong region"),
    ]


def test_if_pending_is_tested_by_the_api_server() -> None:
    assert ("test", "/status/phase", "Pending") in steps(CancelOptions(if_pending=True), a_job())
    with pytest.raises(PreconditionError, match="no longer pending: it is Running"):
        cancel_patch(a_job("Running"), CancelOptions(if_pending=True))


def test_force_hastens_a_cancel_that_was_requested_before_and_keeps_its_reason() -> None:
    job = a_job("Canceling", cancel=True, cancelMode="Graceful")
    assert steps(CancelOptions(force=True, reason="late"), job) == [
        ("test", "/metadata/uid", "u"),
        ("add", "/spec/cancelMode", "Force"),
    ]


@pytest.mark.parametrize(
    ("job", "options"),
    [
        (a_job("Canceled", cancel=True), CancelOptions()),
        (a_job("Running", cancel=True), CancelOptions()),
        (a_job("Canceling", cancel=True, cancelMode="Force"), CancelOptions(force=True)),
    ],
)
def test_a_cancel_that_was_requested_before_is_not_written_again(job: JobState, options: CancelOptions) -> None:
    with pytest.raises(NothingToDoError):
        cancel_patch(job, options)


@pytest.mark.parametrize("phase", ["Completed", "Failed"])
def test_a_job_that_ended_in_another_way_cannot_be_canceled(phase: str) -> None:
    with pytest.raises(PreconditionError, match=f"has ended: it is {phase}"):
        cancel_patch(a_job(phase), CancelOptions())
