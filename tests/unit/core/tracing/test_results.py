"""Result and writer of each end."""

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, ConditionStatus, EndReason, JobCondition, Phase
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.tracing.results import RESULTS, Result, is_ended_by_controller, result_of
from support.builders.core import NOON, an_ended_job


def test_each_reason_has_a_result() -> None:
    assert set(RESULTS) == set(EndReason)


def test_a_reason_of_a_later_version_is_an_error() -> None:
    assert result_of(an_ended_job(phase=Phase.FAILED, reason="NotKnownYet")) is Result.ERROR
    assert result_of(an_ended_job(phase=Phase.FAILED)) is Result.ERROR
    assert result_of(an_ended_job(reason="NotKnownYet")) is Result.SUCCESS


@pytest.mark.parametrize(
    ("reason", "is_controllers"),
    [
        (CancelReason.NEVER_STARTED, True),
        (CancelReason.DAEMON_GONE, True),
        (CancelReason.DAEMON_UNRESPONSIVE, True),
        (CancelReason.STOPPED, False),
    ],
)
def test_who_ended_a_canceled_job_is_told_by_the_result_of_its_cancel(
    reason: CancelReason, *, is_controllers: bool
) -> None:
    requested = Condition(JobCondition.CANCEL_REQUESTED, ConditionStatus.TRUE, reason, "", NOON)
    job = an_ended_job(phase=Phase.CANCELED, reason=EndReason.CANCELED, conditions=(requested,))
    assert is_ended_by_controller(job) is is_controllers


def test_a_canceled_job_without_a_result_of_its_cancel_is_its_daemons() -> None:
    assert not is_ended_by_controller(an_ended_job(phase=Phase.CANCELED, reason=EndReason.CANCELED))


@pytest.mark.parametrize(
    ("reason", "is_controllers"),
    [
        (EndReason.PENDING_TIMEOUT, True),
        (EndReason.DEADLINE_EXCEEDED, True),
        (EndReason.DAEMON_LOST, True),
        (EndReason.RUN_FAILED, False),
        (EndReason.STALLED, False),
        ("NotKnownYet", False),
    ],
)
def test_who_ended_a_failed_job_is_told_by_its_reason(reason: str, *, is_controllers: bool) -> None:
    assert is_ended_by_controller(an_ended_job(phase=Phase.FAILED, reason=reason)) is is_controllers
