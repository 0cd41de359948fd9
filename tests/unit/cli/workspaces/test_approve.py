"""The plan that an approval is about."""

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, Phase, StatusCondition, WorkspaceReason
from provisioner_operator.cli.errors import NothingToDoError, PreconditionError
from provisioner_operator.cli.workspaces.approve import waiting_plan
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.records import PlanRecord, Workspace, WorkspaceStatus
from support.builders.core import NOON
from support.builders.workspaces import DIGEST, a_plan, a_workspace

PLAN = a_plan(2).record


def waiting(plan: PlanRecord | None, reason: str = WorkspaceReason.AWAITING_APPROVAL, **spec: str) -> Workspace:
    ready = Condition(StatusCondition.READY, ConditionStatus.FALSE, reason, "So it is.", NOON)
    return a_workspace(status=WorkspaceStatus(plan=plan, conditions=(ready,)), **spec)


def test_it_is_the_one_for_which_the_workspace_waits() -> None:
    assert waiting_plan(waiting(PLAN)) is PLAN
    assert waiting_plan(waiting(PLAN, approved="another")) is PLAN


def test_one_that_is_approved_needs_nothing_more() -> None:
    with pytest.raises(NothingToDoError, match=PLAN.job):
        waiting_plan(waiting(PLAN, approved=DIGEST))


@pytest.mark.parametrize(
    "workspace",
    [
        waiting(None),
        waiting(a_plan(2, phase=Phase.FAILED).record),
        waiting(PLAN, WorkspaceReason.APPROVAL_EXPIRED),
        a_workspace(status=WorkspaceStatus(plan=PLAN)),
    ],
    ids=["no plan", "a failed plan", "an expired plan", "no condition yet"],
)
def test_nothing_else_can_be_approved(workspace: Workspace) -> None:
    with pytest.raises(PreconditionError, match="No plan of it waits for approval"):
        waiting_plan(workspace)
