"""Autostop: the time of the stop, and what starts the workspace again."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.autostop import stop_time, stopped_by_autostop
from provisioner_operator.core.workspaces.desired_state import DesiredState, desired_start, desired_stop
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
    assert stopped.change != desired_stop(a_workspace(running=False), VERSION).change


@pytest.mark.parametrize("changes", [{"rebuild_generation": 1}, {"parameters": (("size", "2"),)}], ids=str)
def test_another_start_has_another_stop(changes: dict[str, int]) -> None:
    before = desired_start(a_workspace(), VERSION)
    after = desired_start(a_workspace(**changes), VERSION)

    assert stopped_by_autostop(before) == stopped_by_autostop(before)
    assert stopped_by_autostop(after).change != stopped_by_autostop(before).change
