"""Reports of the plans that wait for approval, out of order or missing, and the permission of jobs that apply them."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.workspace_permission import Ownership
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import CreatePlan, UpdateWorkspaceStatus, WorkspaceDecision
from provisioner_operator.core.workspaces.records import PlanJob, Workspace, WorkspaceStatus
from support.builders.build_plans import wanted_change
from support.builders.core import NAMESPACE, at
from support.builders.workspaces import DIGEST, a_plan, a_template, a_workspace

WORKSPACE = a_workspace(needs_approval=True, approved=DIGEST)
RUNNING = a_plan(phase=Phase.RUNNING, change=wanted_change(WORKSPACE), resource_version=2)
ENDED = a_plan(change=wanted_change(WORKSPACE), digest="e" * 64, resource_version=3)


def observing(workspace: Workspace | None, *plans: PlanJob) -> WorkspaceReconciler:
    """A reconciler that has observed these, and the template."""
    cache = WorkspaceReconciler()
    cache.workspaces_listed(NAMESPACE)
    cache.observe_template(a_template())
    if workspace is not None:
        cache.observe_workspace(workspace)
        cache.workspace_checked(workspace.uid)
    for plan in plans:
        assert cache.observe_plan(plan)
    return cache


def about_workspace(cache: WorkspaceReconciler) -> WorkspaceDecision:
    return next(each for each in cache.decide(at(0)) if each.subject == WORKSPACE.uid)


def reported(cache: WorkspaceReconciler) -> WorkspaceStatus:
    decision = about_workspace(cache)
    assert isinstance(decision, UpdateWorkspaceStatus)
    return decision.status


@pytest.mark.parametrize(
    "plan", [RUNNING, replace(RUNNING, resource_version=1), a_plan(0, job_uid="of-another", resource_version=9)]
)
def test_only_later_news_of_the_latest_plan_counts(plan: PlanJob) -> None:
    cache = observing(WORKSPACE, RUNNING)

    assert not cache.observe_plan(plan)
    assert cache.observe_plan(ENDED)
    assert reported(cache).plan == ENDED.record


def test_a_plan_may_be_known_before_its_workspace() -> None:
    cache = observing(None, RUNNING)
    assert cache.unfinished_jobs().keys() == {RUNNING.job_uid}

    cache.observe_workspace(WORKSPACE)
    cache.workspace_checked(WORKSPACE.uid)

    assert reported(cache).plan == RUNNING.record


def test_an_ended_plan_of_an_unknown_workspace_is_nobodys() -> None:
    assert not observing(None).observe_plan(ENDED)


def test_a_number_that_a_plan_has_is_taken() -> None:
    former = a_plan(7, change="former")

    decision = about_workspace(observing(WORKSPACE, former))

    assert isinstance(decision, CreatePlan)
    assert decision.job == "dev-8"


def test_a_deleted_plan_is_gone_and_not_revived_by_a_late_answer() -> None:
    cache = observing(WORKSPACE, ENDED)

    cache.job_deleted(ENDED.job_uid)

    assert not cache.observe_plan(replace(ENDED, resource_version=9))
    assert reported(cache).plan == replace(ENDED.record, reason="JobDeleted", digest=None)


def test_the_deletion_of_a_former_plan_leaves_the_latest() -> None:
    cache = observing(WORKSPACE, a_plan(), replace(ENDED, record=replace(ENDED.record, number=2), job_uid="second"))

    cache.job_deleted(a_plan().job_uid)

    assert reported(cache).plan == replace(ENDED.record, number=2)


def test_the_end_of_a_plan_is_held_until_the_workspaces_status_has_it() -> None:
    cache = observing(WORKSPACE, ENDED)
    assert cache.holds(ENDED.job_uid)

    status = WorkspaceStatus(plan=ENDED.record)
    cache.observe_workspace(replace(WORKSPACE, resource_version=2, status=status))
    assert not cache.holds(ENDED.job_uid)
    cache.observe_workspace(replace(WORKSPACE, resource_version=3, needs_approval=False))
    assert not cache.holds(ENDED.job_uid)


def test_a_plan_is_forgotten_with_its_workspace() -> None:
    cache = observing(WORKSPACE, RUNNING)

    cache.workspace_deleted(WORKSPACE.uid)

    assert cache.unfinished_jobs() == {}
    assert not cache._jobs  # noqa: SLF001 - memory has no interface


def test_the_version_of_a_plan_is_in_use() -> None:
    cache = observing(WORKSPACE, a_plan(version="template-7"))
    entry = cache._workspaces[WORKSPACE.uid]  # noqa: SLF001 - memory has no interface

    assert entry.versions_in_use() == {"template-7"}
    status = WorkspaceStatus(plan=a_plan(version="template-8").record)
    cache.observe_workspace(replace(WORKSPACE, resource_version=2, status=status))
    assert entry.versions_in_use() == {"template-7", "template-8"}


def test_jobs_learn_what_is_approved() -> None:
    cache = observing(WORKSPACE, ENDED)

    known = cache.ownership_of((WORKSPACE.namespace, WORKSPACE.name))

    assert known == Ownership(None, needs_approval=True, approved=DIGEST)
    assert observing(None, RUNNING).ownership_of((WORKSPACE.namespace, WORKSPACE.name)) is None
