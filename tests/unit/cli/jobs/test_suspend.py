"""Suspension: only of a pending job, and only if it changes something."""

import pytest

from provisioner_operator.cli.api.objects import JobState, job_state
from provisioner_operator.cli.errors import NothingToDoError, PreconditionError
from provisioner_operator.cli.jobs.suspend import suspend_patch


def a_job(phase: str = "Pending", *, suspend: bool = False) -> JobState:
    return job_state(
        {"metadata": {"name": "job", "uid": "u"}, "spec": {"suspend": suspend}, "status": {"phase": phase}}
    )


@pytest.mark.parametrize("suspended", [True, False])
def test_the_change_is_valid_only_while_this_very_job_is_pending(*, suspended: bool) -> None:
    patch = suspend_patch(a_job(suspend=not suspended), suspended=suspended)
    assert patch.tests == (("/metadata/uid", "u"), ("/status/phase", "Pending"))
    assert patch.sets == (("/spec/suspend", suspended),)


@pytest.mark.parametrize(("suspended", "message"), [(True, "is suspended already"), (False, "is not suspended")])
def test_a_job_that_is_as_requested_is_left_alone(message: str, *, suspended: bool) -> None:
    with pytest.raises(NothingToDoError, match=message):
        suspend_patch(a_job(suspend=suspended), suspended=suspended)


@pytest.mark.parametrize(
    ("phase", "message"), [("Running", "It is Running: only a pending job"), ("Failed", "It has ended: it is Failed")]
)
def test_a_job_that_has_left_the_queue_cannot_be_suspended(phase: str, message: str) -> None:
    with pytest.raises(PreconditionError, match=message):
        suspend_patch(a_job(phase), suspended=True)
