"""The forced cancel of a daemon's jobs: only of those that are still there."""

from typing import Any

import pytest

from provisioner_operator.cli.api.objects import JobState, job_state
from provisioner_operator.cli.daemons.drain import kill_patch
from provisioner_operator.cli.errors import NothingToDoError


def a_job(phase: str = "Running", daemon: str = "d1", **spec: Any) -> JobState:
    status = {"phase": phase, "assignment": {"daemon": daemon}}
    return job_state({"metadata": {"name": "job", "uid": "u"}, "spec": spec, "status": status})


def test_a_run_is_killed_only_while_it_is_on_this_daemon() -> None:
    patch = kill_patch(a_job(), "u", "d1", "maintenance")
    assert patch.tests == (("/metadata/uid", "u"), ("/status/assignment/daemon", "d1"))
    assert patch.sets == (
        ("/spec/cancel", True),
        ("/spec/cancelMode", "Force"),
        ("/spec/cancelReason", "maintenance"),
    )


def test_the_reason_of_an_earlier_cancel_stays() -> None:
    patch = kill_patch(a_job(cancel=True), "u", "d1", "maintenance")
    assert [path for path, _ in patch.sets] == ["/spec/cancel", "/spec/cancelMode"]


@pytest.mark.parametrize(
    ("job", "uid"), [(a_job("Completed"), "u"), (a_job(daemon="d2"), "u"), (a_job(), "uid-of-an-earlier-job")]
)
def test_a_job_that_is_not_there_any_more_is_left_alone(job: JobState, uid: str) -> None:
    with pytest.raises(NothingToDoError):
        kill_patch(job, uid, "d1", "maintenance")
