"""Jobs that check workspaces for drift, as the reconciler knows them: until their results are recorded, and no longer."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import CreateDriftCheck, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.drift.records import Drift
from provisioner_operator.core.workspaces.drift.schedule import slot_at
from provisioner_operator.core.workspaces.records import Workspace
from support.builders.build_plans import SIZE, reported, wanted_change
from support.builders.core import NAMESPACE, NOON, at
from support.builders.workspaces import a_build, a_drift_check, a_template, a_workspace

HOUR = 3600
RUNNING = a_drift_check(phase=Phase.RUNNING)
ENDED = a_drift_check(resource_version=2, changed=["disk"])


def a_checked_workspace() -> Workspace:
    """A workspace of which one build has completed, and nothing is due."""
    workspace = a_workspace(drift_check=HOUR)
    build = a_build(change=wanted_change(workspace))
    return replace(workspace, status=reported(workspace, build), resource_version=5)


def observing(*workspaces: Workspace) -> WorkspaceReconciler:
    reconciler = WorkspaceReconciler()
    reconciler.workspaces_listed(NAMESPACE)
    reconciler.observe_template(a_template(parameters=(SIZE,)))
    for each in workspaces:
        reconciler.observe_workspace(each)
    for decision in list(reconciler.decide(at(0))):
        assert decision.subject == "uid-of-template"  # it stays under way
    return reconciler


def test_a_check_is_made_in_its_slot_and_then_its_end_is_awaited() -> None:
    reconciler = observing(a_checked_workspace())
    slot = slot_at("uid-of-dev", HOUR, slot_at("uid-of-dev", HOUR, NOON).end)
    due = slot.start - NOON
    assert reconciler.next_wake() == at(due).monotonic
    assert list(reconciler.decide(at(due - 1))) == []

    (check,) = reconciler.decide(at(due))
    assert isinstance(check, CreateDriftCheck)
    reconciler.observe_drift_check(replace(RUNNING, job=check.job))
    reconciler.accepted(check)
    reconciler.settled(check, at(due))
    assert list(reconciler.decide(at(due + 1))) == []

    reconciler.observe_drift_check(replace(ENDED, job=check.job, finished=NOON + due + 9))
    (status,) = reconciler.decide(at(due + 9))
    assert isinstance(status, UpdateWorkspaceStatus)
    assert status.status.drift == Drift(NOON + due + 9, 1, check.job, ENDED.resources)


def test_only_a_later_version_is_news_and_an_end_is_final() -> None:
    reconciler = observing(a_checked_workspace())

    assert reconciler.observe_drift_check(RUNNING)
    assert not reconciler.observe_drift_check(RUNNING)
    assert reconciler.unfinished_jobs() == {"uid-of-check": (NAMESPACE, "dev-drift-abc")}
    assert reconciler.observe_drift_check(ENDED)
    assert not reconciler.observe_drift_check(RUNNING)
    assert reconciler.unfinished_jobs() == {}
    assert reconciler.checks_of("uid-of-dev") == (ENDED,)


@pytest.mark.parametrize(
    "changes",
    [
        {"drift": Drift(ENDED.finished, 1, ENDED.job)},
        {"last_run": a_build(2).record, "latest_build": a_build(2).record},
    ],
    ids=["recorded", "of a former build"],
)
def test_an_end_is_kept_until_it_is_recorded_or_counts_no_more(changes: dict[str, Any]) -> None:
    workspace = a_checked_workspace()
    reconciler = observing(workspace)
    reconciler.observe_drift_check(ENDED)
    assert reconciler.knows_check("uid-of-check")

    later = replace(workspace, status=replace(workspace.status, **changes), resource_version=9)
    reconciler.observe_workspace(later)

    assert not reconciler.knows_check("uid-of-check")
    assert reconciler.checks_of("uid-of-dev") == ()
    # Neither what was observed late, nor a list of ended jobs, brings it back.
    assert not reconciler.observe_drift_check(RUNNING)
    assert not reconciler.observe_drift_check(replace(ENDED, resource_version=3))
    assert reconciler.checks_of("uid-of-dev") == ()


def test_a_check_under_way_is_kept_whatever_the_status_says() -> None:
    reconciler = observing(a_checked_workspace())
    reconciler.observe_drift_check(RUNNING)

    reconciler.observe_workspace(replace(a_checked_workspace(), drift_check=None, resource_version=9))

    assert reconciler.knows_check("uid-of-check")
    assert reconciler.observe_drift_check(ENDED)  # to begin another once it is on again
    assert not reconciler.knows_check("uid-of-check")
    assert not reconciler.observe_workspace(a_checked_workspace())


def test_a_deleted_job_is_no_check_under_way_and_one_that_ended_still_counts() -> None:
    reconciler = observing(a_checked_workspace())
    reconciler.observe_drift_check(RUNNING)
    reconciler.job_deleted("uid-of-check")
    assert not reconciler.knows_check("uid-of-check")
    assert not reconciler.observe_drift_check(ENDED)

    another = replace(ENDED, job_uid="another")
    reconciler.observe_drift_check(another)
    reconciler.job_deleted("another")
    assert reconciler.checks_of("uid-of-dev") == (another,)


def test_nothing_is_kept_of_a_deleted_workspace() -> None:
    reconciler = observing(a_checked_workspace())
    reconciler.observe_drift_check(RUNNING)
    reconciler.workspace_deleted("uid-of-dev")
    assert not reconciler.knows_check("uid-of-check")

    assert reconciler.observe_drift_check(replace(RUNNING, resource_version=2))  # it is still under way
    assert reconciler.observe_drift_check(replace(ENDED, resource_version=3))
    assert reconciler.unfinished_jobs() == {}
    assert not reconciler.knows_check("uid-of-check")


def test_the_checks_of_one_workspace_are_none_of_another() -> None:
    reconciler = observing(a_checked_workspace())
    other = replace(RUNNING, job_uid="another", workspace_uid="uid-of-lab")
    reconciler.observe_drift_check(RUNNING)
    reconciler.observe_drift_check(other)
    reconciler.observe_drift_check(replace(RUNNING, job_uid="second"))

    reconciler.job_deleted("second")

    assert (reconciler.checks_of("uid-of-dev"), reconciler.checks_of("uid-of-lab")) == ((RUNNING,), (other,))
