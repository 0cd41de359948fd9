"""Policy of spec.approval: a build applies a plan that somebody has approved, and exactly that one.

Used by `build_plan`. Instead of the build, a job is created that plans it and keeps the plan; the build follows once
spec.approved is the digest of that plan. No run waits meanwhile. Builds and plans of a workspace are numbered together, so
a plan whose number is above that of the last run was made for what exists. One of another desired state, or from before
the last run, is never applied: the build is planned again.
"""

from math import ceil

from provisioner_operator.api.v1alpha1.enums import Phase, WorkspaceReason
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.workspaces.blocked_step import Obstacle
from provisioner_operator.core.workspaces.build_history import NOT_APPLIED, SUPERSEDED, BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.decisions import CreateBuild, CreatePlan
from provisioner_operator.core.workspaces.records import JOB_DELETED, PlanJob, PlanRecord, Workspace

_SHOWN_DIGITS = 12
"""Digits of a digest in a message; the status has all of them."""
_AGAIN = "Raise spec.rebuildGeneration, or change the workspace, to plan it again."


def step_to_build(build: CreateBuild, history: BuildHistory, wall: float) -> CreateBuild | CreatePlan | Obstacle:
    """Return the next step towards a build: itself with its approved plan, the job that plans it, or what it waits for."""
    workspace, plan = build.workspace, history.plan
    if not workspace.needs_approval:
        return build
    if plan is not None and not plan.ended:
        return Obstacle(WorkspaceReason.PLANNING, _describe_planning(plan), passes=True)
    if plan is None or not _is_of(plan, build, history):
        return CreatePlan.of(build)
    digest = _digest(plan)
    if digest is not None and workspace.approved == digest and not _is_expired(workspace, plan, wall):
        return build.with_plan(plan.job, digest)
    return _obstacle(workspace, plan, history, wall)


def _obstacle(workspace: Workspace, plan: PlanRecord, history: BuildHistory, wall: float) -> Obstacle:
    if _is_expired(workspace, plan, wall):
        message = f"Nobody approved the plan of job {plan.job} within {workspace.approval_timeout:.0f} s. {_AGAIN}"
        return Obstacle(WorkspaceReason.APPROVAL_EXPIRED, message)
    if (digest := _digest(plan)) is None:
        return Obstacle(WorkspaceReason.PLAN_FAILED, _describe_failure(plan))
    message = _describe_wait(workspace, plan, digest, history)
    return Obstacle(WorkspaceReason.AWAITING_APPROVAL, message, passes=True, is_complete=True)


def plan_to_supersede(workspace: Workspace, change: str, facts: BuildFacts) -> PlanJob | None:
    """Return the plan that has not begun although it is no longer wanted, unless it is canceled already."""
    plan = facts.plan
    if plan is None or plan.cancel or plan.record.phase is not Phase.PENDING:
        return None
    return plan if plan.record.change != change or not workspace.needs_approval else None


def seconds_to_expiry(workspace: Workspace, history: BuildHistory, wall: float) -> float | None:
    """Return the seconds until the latest plan is given up; None if it is, or if there is nothing to approve."""
    plan = history.plan
    if not workspace.needs_approval or plan is None or _digest(plan) is None or plan.finished is None:
        return None
    left = plan.finished + workspace.approval_timeout - wall
    return left if left > 0 else None


def _is_of(plan: PlanRecord, build: CreateBuild, history: BuildHistory) -> bool:
    """Return whether the plan is one of this build, and nothing has run since."""
    if plan.reason == SUPERSEDED or (history.last_run is not None and history.last_run.number > plan.number):
        return False
    return (plan.change, plan.version) == (build.change, build.version.name)


def _digest(plan: PlanRecord) -> str | None:
    """Return the digest of the plan, if its job made and keeps one."""
    return plan.digest if plan.phase is Phase.COMPLETED else None


def _is_expired(workspace: Workspace, plan: PlanRecord, wall: float) -> bool:
    if plan.phase is not Phase.COMPLETED or plan.finished is None:
        return False
    return plan.finished + workspace.approval_timeout <= wall


def _describe_planning(plan: PlanRecord) -> str:
    doing = "is waiting for a daemon" if plan.phase is Phase.PENDING else "is running"
    detail = f": {plan.message}" if plan.message else "."
    return f"The plan of the next build (job {plan.job}) {doing}{detail}"


def _describe_failure(plan: PlanRecord) -> str:
    if plan.reason == JOB_DELETED:
        return f"The plan of job {plan.job} was deleted before it was applied. {_AGAIN}"
    if plan.phase is Phase.COMPLETED:
        return f"Job {plan.job} planned the build and kept no plan: its provisioner or its daemon's version cannot. {_AGAIN}"
    how = "failed" if plan.phase is Phase.FAILED else "was canceled"
    detail = f": {plan.message}" if plan.message else "."
    return f"The plan of the next build (job {plan.job}) {how}{detail} {_AGAIN}"


def _describe_wait(workspace: Workspace, plan: PlanRecord, digest: str, history: BuildHistory) -> str:
    run = history.last_run
    command = f"kubectl provisioner workspaces approve -n {workspace.namespace} {workspace.name}"
    sentences = [plan.message, f"Job {plan.job} keeps the plan {digest[:_SHOWN_DIGITS]}.", f"Approve it: {command}."]
    if run is not None and run.reason in NOT_APPLIED:
        sentences.insert(0, f"The plan that was approved before was not applied ({run.reason}, job {run.job}).")
    if plan.finished is not None:
        sentences.append(f"It is given up at {timestamp(ceil(plan.finished + workspace.approval_timeout))[:-8]}Z.")
    return " ".join(each for each in sentences if each)
