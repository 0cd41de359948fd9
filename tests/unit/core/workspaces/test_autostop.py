"""Autostop: the time of the stop, and what starts the workspace again."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.autostop import stop_time, stopped_by_autostop
from provisioner_operator.core.workspaces.desired_state import DesiredState, desired_by_spec
from provisioner_operator.core.workspaces.records import BuildRecord
from support.builders.core import NOON
from support.builders.workspaces import VERSION, a_build, a_workspace

START = DesiredState(Transition.START, "start", VERSION)
STARTED = a_build(change="start").record


@pytest.mark.parametrize(
    ("autostop", "last_run", "time"),
    [
        (60.0, STARTED, NOON + 60),
        (None, STARTED, None),  # it has no limit
        (60.0, None, None),  # it was never started
        (60.0, a_build(change="start", phase=Phase.RUNNING).record, None),
        (60.0, a_build(change="start", phase=Phase.FAILED).record, None),
        (60.0, a_build(change="another").record, None),  # the start is still to come
    ],
)
def test_a_workspace_is_stopped_a_while_after_its_start_completed(
    autostop: float | None, last_run: BuildRecord | None, time: float | None
) -> None:
    assert stop_time(a_workspace(autostop=autostop), START, last_run) == time


def test_the_stop_is_no_stop_that_somebody_asked_for() -> None:
    stopped = stopped_by_autostop(START)

    assert (stopped.transition, stopped.version) == (Transition.STOP, VERSION)
    assert stopped.change != desired_by_spec(a_workspace(running=False), Transition.STOP, VERSION).change


@pytest.mark.parametrize("changes", [{"rebuild_generation": 1}, {"parameters": (("size", "2"),)}], ids=str)
def test_another_start_has_another_stop(changes: dict[str, int]) -> None:
    before = desired_by_spec(a_workspace(), Transition.START, VERSION)
    after = desired_by_spec(a_workspace(**changes), Transition.START, VERSION)

    assert stopped_by_autostop(before) == stopped_by_autostop(before)
    assert stopped_by_autostop(after).change != stopped_by_autostop(before).change
