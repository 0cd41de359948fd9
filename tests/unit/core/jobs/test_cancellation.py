"""Each way in which a cancel ends: its reason, its sentence, and the time that a daemon has."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, Phase
from provisioner_operator.core.jobs import cancellation
from provisioner_operator.core.jobs.cancellation import CANCEL_MARGIN_SECONDS, Cancellation
from support.builders.core import a_job

JOB = a_job(cancel=True, canceled_by="ann", cancel_reason="wrong region")


@pytest.mark.parametrize(
    ("found", "reason", "ending"),
    [
        (cancellation.never_started(JOB), CancelReason.NEVER_STARTED, "The job had not started."),
        (cancellation.stopping(JOB), CancelReason.STOPPING, "The run is being stopped."),
        (
            cancellation.daemon_gone(JOB, "d1", None),
            CancelReason.DAEMON_GONE,
            "Its daemon d1 is gone, and the run with it.",
        ),
        (
            cancellation.daemon_gone(JOB, "d1", "OOMKilled"),
            CancelReason.DAEMON_GONE,
            "Its daemon d1 is gone (its Pod ended: OOMKilled), and the run with it.",
        ),
        (
            cancellation.unconfirmed(JOB, "d1"),
            CancelReason.DAEMON_UNRESPONSIVE,
            "Daemon d1 did not confirm that the run stopped; check it before building again.",
        ),
        (cancellation.answered(JOB, Phase.CANCELED), CancelReason.STOPPED, "The run was stopped."),
        (
            cancellation.answered(JOB, Phase.COMPLETED),
            CancelReason.TOO_LATE,
            "The cancel came too late: the job had already completed.",
        ),
        (
            cancellation.answered(JOB, Phase.FAILED),
            CancelReason.TOO_LATE,
            "The cancel came too late: the job had already failed.",
        ),
    ],
)
def test_each_end_of_a_cancel_has_its_reason_and_sentence(
    found: Cancellation, reason: CancelReason, ending: str
) -> None:
    assert found == Cancellation(reason, f"Canceled by ann: wrong region. {ending}")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Canceled."),
        ({"canceled_by": "ann"}, "Canceled by ann."),
        ({"cancel_reason": "wrong region"}, "Canceled: wrong region."),
        ({"canceled_by": "ann", "cancel_reason": "wrong region"}, "Canceled by ann: wrong region."),
    ],
    ids=str,
)
def test_the_author_and_their_reason_are_named_where_they_are_known(fields: dict[str, Any], sentence: str) -> None:
    assert cancellation.canceled_by(a_job(cancel=True, **fields)) == sentence


@pytest.mark.parametrize(("now", "wait"), [(100, 180 + CANCEL_MARGIN_SECONDS), (340, 0.0), (400, -60.0)])
def test_a_daemon_has_its_grace_and_a_margin(now: float, wait: float) -> None:
    assert cancellation.confirmation_wait(100, 180, now) == wait
