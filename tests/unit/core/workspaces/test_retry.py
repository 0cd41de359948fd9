"""Stops and destroys that no daemon started in time are tried again, each time after a longer pause; nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.workspaces.decisions import CreateBuild
from provisioner_operator.core.workspaces.records import Build, Workspace
from provisioner_operator.core.workspaces.retry import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS
from support.builders.build_plans import decided, planned, ready_reason, reported, true_conditions, wanted_change
from support.builders.workspaces import a_build, a_workspace

DELETED, STOPPED = a_workspace(deleting=True), a_workspace(running=False)
AUTOSTOPPED = a_workspace(autostop=60.0)
STARTED = a_build(change=wanted_change(a_workspace()))


def _missed(workspace: Workspace, number: int = 2, **fields: Any) -> Build:
    """A build of what the workspace needs next, whose job waited for a daemon in vain until noon."""
    needed = decided(workspace, STARTED, now=100)
    assert isinstance(needed, CreateBuild)
    defaults: dict[str, Any] = {
        "phase": Phase.FAILED,
        "began": False,
        "reason": "PendingTimeout",
        "message": "No daemon was there.",
    }
    return a_build(number, change=needed.change, transition=needed.transition, **(defaults | fields))


@pytest.mark.parametrize("workspace", [DELETED, STOPPED, AUTOSTOPPED], ids=["deleted", "stopped", "autostopped"])
def test_a_stop_or_a_destroy_that_never_began_is_tried_again(workspace: Workspace) -> None:
    missed = _missed(workspace)
    status = reported(workspace, STARTED, missed, now=10)

    assert (status.phase, ready_reason(status), true_conditions(status)) == ("Pending", "BuildWaiting", {"Reconciling"})
    waiting = replace(workspace, status=status)
    assert planned(waiting, STARTED, missed, now=10).requeue_after == pytest.approx(FIRST_RETRY_SECONDS - 10)
    # With the jobs at hand, and from the status alone.
    for builds in ((STARTED, missed), ()):
        assert decided(waiting, *builds, now=29) is None
        again = decided(waiting, *builds, now=FIRST_RETRY_SECONDS)
        assert isinstance(again, CreateBuild)
        assert (again.number, again.change, again.transition) == (3, missed.record.change, missed.record.transition)


def test_the_pause_grows_with_each_attempt_to_an_hour() -> None:
    pauses = []
    for number in (2, 3, 4, 9, 500):
        missed = _missed(DELETED, number)
        waiting = replace(DELETED, status=reported(DELETED, STARTED, missed, now=1))
        pause = planned(waiting, STARTED, missed, now=0).requeue_after
        assert pause is not None
        pauses.append(pause)

    assert pauses == [30.0, 60.0, 120.0, LONGEST_RETRY_SECONDS, LONGEST_RETRY_SECONDS]


def test_the_message_names_the_time_and_the_ways_out() -> None:
    message = next(each.message for each in reported(DELETED, STARTED, _missed(DELETED)).conditions)

    assert message == (
        "Build 2 (job dev-2) never began: No daemon was there. It is tried again at 2027-01-15T08:00:30Z, or at once when "
        "spec.rebuildGeneration is raised. To delete the workspace and keep what exists, set spec.deletionPolicy to Orphan."
    )
    assert "Orphan" not in str(reported(STOPPED, STARTED, _missed(STOPPED)).conditions)


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "RunFailed", "began": True},
        {"reason": "DeadlineExceeded", "began": True},
        {"phase": Phase.CANCELED, "reason": "Canceled"},
    ],
    ids=str,
)
def test_nothing_else_is_tried_again(fields: dict[str, Any]) -> None:
    missed = _missed(DELETED, **fields)

    assert true_conditions(reported(DELETED, STARTED, missed, now=10**6)) == {"Stalled"}


def test_a_start_that_never_began_is_left_to_who_wanted_it() -> None:
    workspace = a_workspace()
    missed = a_build(1, phase=Phase.FAILED, began=False, reason="PendingTimeout", change=wanted_change(workspace))

    assert true_conditions(reported(workspace, missed, now=10**6)) == {"Stalled"}


def test_a_raised_rebuild_generation_does_not_wait() -> None:
    asked = replace(DELETED, rebuild_generation=1)

    again = decided(asked, STARTED, _missed(DELETED), now=1)

    assert isinstance(again, CreateBuild)
    assert again.number == 3


def test_a_workspace_that_is_to_run_again_is_not_stopped() -> None:
    missed = _missed(STOPPED)

    status = reported(a_workspace(), STARTED, missed, now=1000)

    assert (status.phase, true_conditions(status)) == ("Running", {"Ready"})
    # Nor is it looked at again and again.
    assert planned(replace(a_workspace(), status=status), STARTED, missed, now=1000).requeue_after is None
