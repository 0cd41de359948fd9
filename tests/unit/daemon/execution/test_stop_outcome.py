"""The end of a run that was stopped says why, where, and what became of its state."""

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.daemon.execution.stop_outcome import (
    KILLED_NOTE,
    LONGER_DRAIN,
    STATE_NOTE,
    StopCause,
    stopped,
)
from unit.daemon.builders import a_task

JOB = a_task(stallTimeoutSeconds=90).job


@pytest.mark.parametrize(
    ("stage", "killed", "said"),
    [
        ("apply", False, f"The run was stopped in stage apply. {STATE_NOTE}"),
        ("apply", True, f"The run was killed in stage apply. {KILLED_NOTE}"),
        (None, False, "The run was stopped before its first stage. Nothing had been changed."),
        (None, True, f"The run was killed before its first stage. {KILLED_NOTE}"),
    ],
)
def test_a_canceled_run_says_where_it_was_and_how_it_ended(stage: str | None, said: str, *, killed: bool) -> None:
    outcome = stopped(JOB, StopCause.CANCEL, stage=stage, killed=killed)
    assert (outcome.phase, outcome.reason, outcome.message) == (Phase.CANCELED, EndReason.CANCELED, said)


@pytest.mark.parametrize(
    ("cause", "reason", "said"),
    [
        (StopCause.DELETION, EndReason.DELETED, "The job was deleted while it ran"),
        (StopCause.STALL, EndReason.STALLED, "The run made no progress for 90 s in stage apply"),
        (StopCause.SHUTDOWN, EndReason.DAEMON_SHUTDOWN, "The daemon was shut down, did not wait for the run"),
        (StopCause.DRAIN_TIMEOUT, EndReason.DAEMON_SHUTDOWN, "waited for the run as long as it could"),
        (StopCause.FENCE, EndReason.DAEMON_LOST, "The daemon had lost contact with the API server"),
        (StopCause.ABANDON, EndReason.DAEMON_LOST, "The daemon abandoned the run"),
    ],
)
def test_every_other_cause_fails_the_job(cause: StopCause, reason: EndReason, said: str) -> None:
    outcome = stopped(JOB, cause, stage="apply", killed=False)
    assert (outcome.phase, outcome.reason) == (Phase.FAILED, reason)
    assert said in outcome.message
    assert STATE_NOTE in outcome.message
    assert (LONGER_DRAIN in outcome.message) is (cause is StopCause.DRAIN_TIMEOUT)
