"""Builds that require approval: what is planned, what waits, and what is applied."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.workspaces.build_history import SUPERSEDED
from provisioner_operator.core.workspaces.decisions import (
    CreateBuild,
    CreatePlan,
    FindBuilds,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.desired_state import change_of
from provisioner_operator.core.workspaces.records import PlanJob, Workspace
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from support.builders.build_plans import decided, planned, ready_reason, reported, true_conditions, wanted_change
from support.builders.workspaces import DIGEST, a_build, a_plan, a_workspace

WEEK = 604_800


def a_guarded_workspace(**fields: Any) -> Workspace:
    return a_workspace(needs_approval=True, **fields)


def a_plan_of(workspace: Workspace, number: int = 1, **fields: Any) -> PlanJob:
    return a_plan(number, change=wanted_change(workspace), **fields)


def message_of(workspace: Workspace, *builds: Any, **options: Any) -> str:
    status = reported(workspace, *builds, **options)
    return next(each.message for each in status.conditions if each.type == "Ready")


def test_a_build_is_planned_first_by_a_job_that_keeps_the_plan() -> None:
    workspace = a_guarded_workspace(approval_timeout=100, owner="sam", initiator="ada")

    decision = decided(workspace)

    assert isinstance(decision, CreatePlan)
    body: Any = decision.body()
    assert body["metadata"]["name"] == "dev-1"
    spec = body["spec"]
    assert (spec["type"], spec["keepPlan"], spec["transition"]) == ("WorkspacePlan", True, "Start")
    assert spec["workspaceRef"] == {
        "name": "dev",
        "uid": "uid-of-dev",
        "buildNumber": 1,
        "change": wanted_change(workspace),
        "owner": "sam",
    }
    assert (spec["initiator"], spec["ttlSecondsAfterFinished"]) == ("ada", 100 + spec["pendingTimeoutSeconds"])


@pytest.mark.parametrize(
    ("phase", "says"),
    [
        (Phase.PENDING, "(job dev-1) is waiting for a daemon: No daemon."),
        (Phase.RUNNING, "(job dev-1) is running"),
    ],
)
def test_while_it_is_planned_nothing_is_built(phase: Phase, says: str) -> None:
    workspace = a_guarded_workspace()
    plan = a_plan_of(workspace, phase=phase, message="No daemon." if phase is Phase.PENDING else None)

    status = reported(workspace, plan=plan)

    assert (ready_reason(status), true_conditions(status)) == ("Planning", {"Reconciling"})
    assert says in message_of(workspace, plan=plan)
    assert (status.plan, status.build_number) == (plan.record, 1)


def test_a_plan_waits_for_its_approval_until_it_is_given_up() -> None:
    workspace = a_guarded_workspace()
    plan = a_plan_of(workspace, message="A start would create a disk.")

    waiting = planned(workspace, plan=plan, now=10)
    assert isinstance(waiting.decision, UpdateWorkspaceStatus)
    status = waiting.decision.status
    assert (ready_reason(status), true_conditions(status)) == ("AwaitingApproval", {"Reconciling"})
    assert waiting.requeue_after == WEEK - 10
    message = message_of(workspace, plan=plan)
    assert message.startswith("A start would create a disk. Job dev-1 keeps the plan dddddddddddd. Approve it: ")
    assert "workspaces approve -n acme dev" in message

    # Its job need not be known any more.
    assert decided(replace(workspace, status=status), now=10) is None
    late = reported(replace(workspace, status=status), now=WEEK)
    assert (ready_reason(late), true_conditions(late)) == ("ApprovalExpired", {"Stalled"})
    assert decided(replace(workspace, status=late, approved=DIGEST), now=WEEK) is None


def test_the_approved_plan_is_applied_by_a_build_with_the_next_number() -> None:
    workspace = a_guarded_workspace(approved=DIGEST)

    build = decided(workspace, plan=a_plan_of(workspace), floor=1)

    assert isinstance(build, CreateBuild)
    body: Any = build.body()
    assert (body["metadata"]["name"], body["spec"]["planRef"]) == ("dev-2", {"job": "dev-1", "digest": DIGEST})


def test_a_plan_whose_end_has_no_time_is_not_given_up() -> None:
    workspace = a_guarded_workspace()
    plan = a_plan_of(workspace)
    timeless = replace(plan, record=replace(plan.record, finished=None))

    assert message_of(workspace, plan=timeless, now=WEEK).endswith("workspaces approve -n acme dev.")


def test_another_approval_is_none() -> None:
    workspace = a_guarded_workspace(approved="e" * 64)

    assert ready_reason(reported(workspace, plan=a_plan_of(workspace))) == "AwaitingApproval"


@pytest.mark.parametrize(
    "plan",
    [
        a_plan(change="another"),
        a_plan_of(a_workspace(), version="template-9"),
        a_plan_of(a_workspace(), phase=Phase.CANCELED, reason=SUPERSEDED),
    ],
)
def test_a_plan_of_something_else_is_replaced(plan: PlanJob) -> None:
    decision = decided(a_guarded_workspace(approved=DIGEST), plan=plan, floor=1)

    assert isinstance(decision, CreatePlan)
    assert decision.job == "dev-2"


def test_a_plan_from_before_the_last_run_is_replaced() -> None:
    workspace = a_guarded_workspace(approved=DIGEST)

    decision = decided(workspace, a_build(2, change="another"), plan=a_plan_of(workspace))

    assert isinstance(decision, CreatePlan)
    assert decision.job == "dev-3"


@pytest.mark.parametrize("reason", ["PlanStale", "PlanUnavailable"])
def test_a_plan_that_was_not_applied_is_made_again_and_says_why(reason: str) -> None:
    workspace = a_guarded_workspace(approved=DIGEST)
    failed = a_build(2, phase=Phase.FAILED, change=wanted_change(workspace), reason=reason)

    assert isinstance(decided(workspace, failed, plan=a_plan_of(workspace)), CreatePlan)

    again = a_plan_of(workspace, 3, digest="e" * 64)
    assert message_of(workspace, failed, plan=again).startswith(
        f"The plan that was approved before was not applied ({reason}, job dev-2). Job dev-3"
    )


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"phase": Phase.FAILED, "message": "No quota."}, "(job dev-1) failed: No quota. Raise spec.rebuildGeneration"),
        ({"phase": Phase.CANCELED}, "(job dev-1) was canceled. Raise"),
        ({"digest": None}, "Job dev-1 planned the build and kept no plan"),
        ({"digest": None, "reason": "JobDeleted"}, "The plan of job dev-1 was deleted before it was applied."),
    ],
)
def test_without_a_plan_nothing_is_built_until_it_is_asked_for_again(plan: dict[str, Any], says: str) -> None:
    workspace = a_guarded_workspace()

    status = reported(workspace, plan=a_plan_of(workspace, **plan))
    assert (ready_reason(status), true_conditions(status)) == ("PlanFailed", {"Stalled"})
    assert says in message_of(workspace, plan=a_plan_of(workspace, **plan))

    again = replace(workspace, rebuild_generation=1)
    assert isinstance(decided(again, plan=a_plan_of(workspace, **plan)), CreatePlan)


def test_a_pending_plan_that_is_no_longer_wanted_is_superseded_once() -> None:
    workspace = a_guarded_workspace()
    pending = a_plan(phase=Phase.PENDING)

    decision = decided(workspace, plan=pending)
    assert isinstance(decision, Supersede)
    assert decision.build is pending
    assert ready_reason(reported(workspace, plan=replace(pending, cancel=True))) == "Planning"
    assert ready_reason(reported(workspace, plan=a_plan(phase=Phase.RUNNING))) == "Planning"


def test_without_the_requirement_a_build_follows_at_once_and_no_plan_is_reported() -> None:
    workspace = a_workspace()

    assert isinstance(decided(workspace, plan=a_plan_of(workspace, phase=Phase.PENDING)), Supersede)
    build = decided(workspace, plan=a_plan_of(workspace))
    assert isinstance(build, CreateBuild)
    assert build.plan is None
    completed = a_build(2, change=wanted_change(workspace))
    assert reported(workspace, completed, plan=a_plan_of(workspace)).plan is None


def test_a_build_that_was_refused_for_lack_of_approval_counts_as_none() -> None:
    workspace = a_guarded_workspace()
    refused = a_build(1, phase=Phase.FAILED, began=False, change=wanted_change(workspace), reason="ApprovalRequired")

    assert isinstance(decided(workspace, refused), CreatePlan)


def test_a_deletion_is_planned_and_destroys_only_what_is_approved() -> None:
    built = a_guarded_workspace(deleting=True)
    run = a_build(2, change="built")

    decision = decided(built, run)
    assert isinstance(decision, CreatePlan)
    assert decision.transition is Transition.DELETE
    plan = a_plan(3, change=change_of(Transition.DELETE, 0), transition=Transition.DELETE)
    message = message_of(built, run, plan=plan)
    assert "workspaces approve" in message
    assert "Orphan" not in message
    approved = decided(replace(built, approved=DIGEST), run, plan=plan)
    assert isinstance(approved, CreateBuild)
    assert approved.transition is Transition.DELETE


def test_one_that_was_only_planned_is_released_at_once() -> None:
    workspace = a_guarded_workspace(deleting=True)

    assert isinstance(decided(workspace, plan=a_plan_of(workspace, phase=Phase.RUNNING)), ReleaseWorkspace)


def test_a_plan_whose_end_was_missed_is_looked_for_and_otherwise_gone() -> None:
    workspace = a_guarded_workspace()
    known = replace(workspace, status=reported(workspace, plan=a_plan_of(workspace, phase=Phase.RUNNING)))

    assert isinstance(decided(known, searched=False), FindBuilds)
    assert "was canceled" not in message_of(known)
    assert ready_reason(reported(known)) == "PlanFailed"
    # A job that was seen since counts, and an older one does not.
    assert ready_reason(reported(known, plan=a_plan_of(workspace))) == "AwaitingApproval"
    newer = replace(known, status=replace(known.status, plan=a_plan_of(workspace, 5).record))
    assert ready_reason(reported(newer, plan=a_plan_of(workspace, 1, phase=Phase.FAILED))) == "AwaitingApproval"


def test_a_refused_plan_is_reported_like_a_refused_build() -> None:
    refused = RefusedStep("CreatePlan", "quota exceeded")

    status = reported(a_guarded_workspace(), refused=refused)

    assert ready_reason(status) == "BuildRefused"
    terminating = RefusedStep("CreatePlan", "it is refused because it is being terminated")
    assert ready_reason(reported(a_guarded_workspace(), refused=terminating)) == "NamespaceTerminating"


@given(
    plan=st.builds(
        a_plan,
        number=st.integers(1, 4),
        phase=st.sampled_from(Phase),
        change=st.sampled_from([wanted_change(a_workspace()), "another"]),
        digest=st.sampled_from([None, DIGEST, "e" * 64]),
        version=st.sampled_from(["template-1", "template-9"]),
    ),
    run=st.integers(1, 4),
    approved=st.sampled_from([None, DIGEST, "e" * 64]),
    now=st.sampled_from([0, WEEK]),
)
def test_no_build_applies_another_plan_than_a_current_one_that_is_approved(
    plan: PlanJob, run: int, approved: str | None, now: int
) -> None:
    workspace = a_guarded_workspace(approved=approved)

    decision = decided(workspace, a_build(run, change="former"), plan=plan, now=now)

    if isinstance(decision, CreateBuild):
        record = plan.record
        assert decision.plan == {"job": record.job, "digest": approved}
        assert (record.digest, record.phase) == (approved, Phase.COMPLETED)
        assert (record.change, record.version) == (decision.change, decision.version.name)
        assert run <= record.number < decision.number
        assert now < WEEK
