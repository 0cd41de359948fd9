"""Phases that a job can still reach."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.jobs.wait import goal_phases, is_reachable


@pytest.mark.parametrize(
    ("phase", "goal", "reachable"),
    [
        (Phase.PENDING, "completed", True),
        (Phase.CANCELING, "completed", True),
        (Phase.FAILED, "completed", False),
        (Phase.FAILED, "ended", True),
        (Phase.COMPLETED, "canceled", False),
        (Phase.CANCELED, "started", True),
        (Phase.CANCELING, "running", False),
    ],
)
def test_a_wait_is_over_when_its_goal_is_out_of_reach(phase: Phase, goal: str, *, reachable: bool) -> None:
    assert is_reachable(phase, goal_phases(goal)) is reachable
