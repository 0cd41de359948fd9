"""The words about a job whose log is followed before it starts."""

from typing import Any

import pytest

from provisioner_operator.cli.jobs.await_start import describe_wait
from support.builders.stored import a_job_model

CHOSEN = {"daemon": "d1", "daemonUID": "u1", "id": "first", "time": "2027-01-15T08:00:30Z"}


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({}, "It waits for a daemon; `jobs why dev-7` explains this."),
        ({"reason": "DaemonsBusy", "message": "1 of 1 is busy."}, "DaemonsBusy: 1 of 1 is busy."),
        ({"assignment": CHOSEN}, "Daemon d1 has been chosen and is about to start it."),
    ],
)
def test_the_cause_of_the_wait_is_named(status: dict[str, Any], says: str) -> None:
    model = a_job_model("dev-7", status=status)

    assert describe_wait(model) == f"dev-7 is Pending, and its log begins when it starts. {says}"
