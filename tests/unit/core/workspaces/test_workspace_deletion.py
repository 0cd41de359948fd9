"""Steps of a deleted workspace: it is destroyed or left as an orphan, then released."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, Phase, Transition
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER, IN_USE_FINALIZER
from provisioner_operator.core.workspaces.build_history import SUPERSEDED, BuildFacts
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import (
    CreateBuild,
    FindBuilds,
    HoldTemplate,
    HoldWorkspace,
    ReleaseTemplate,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.records import Build, BuildRecord, WorkspaceStatus
from support.builders.build_plans import NEWER, decided, planned, ready_reason, reported, wanted_change
from support.builders.core import at
from support.builders.workspaces import VERSION, a_build, a_template, a_workspace


def recorded(build: Build) -> WorkspaceStatus:
    """The status that has this build as the latest, and as the last run if it has begun and completed."""
    last_run = build.record if build.record.phase is Phase.COMPLETED else None
    return WorkspaceStatus(
        build_number=build.record.number,
        latest_build=build.record,
        last_run=last_run,
        completed_build=int(bool(last_run)),
    )


def test_a_deleted_workspace_is_destroyed_and_then_let_go() -> None:
    workspace = a_workspace(deleting=True, status=WorkspaceStatus(parameters=(("size", "4"),)))
    built = a_build(change="built", parameters=(("size", "4"),))

    decision = decided(workspace, built, template=NEWER)

    assert isinstance(decision, CreateBuild)
    # As it was built, with the version that it has.
    assert (decision.transition, decision.version.name) == (Transition.DELETE, VERSION)
    assert decision.parameters == (("size", "4"),)
    assert "initiator" not in str(decision.body())
    destroyed = a_build(2, change=decision.change, transition=Transition.DELETE)
    assert isinstance(decided(workspace, built, destroyed), ReleaseWorkspace)


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELED])
def test_a_destroy_that_fails_leaves_the_workspace_until_it_is_asked_for_again(phase: Phase) -> None:
    workspace = a_workspace(deleting=True)
    first = decided(workspace, a_build())
    assert isinstance(first, CreateBuild)
    ended = a_build(2, phase=phase, change=first.change, transition=Transition.DELETE)

    assert reported(workspace, a_build(), ended).phase.value == phase.value
    again = decided(replace(workspace, rebuild_generation=1), a_build(), ended)
    assert isinstance(again, CreateBuild)
    assert again.number == 3


def test_what_runs_is_never_superseded_by_a_deletion() -> None:
    assert isinstance(decided(a_workspace(deleting=True), a_build(phase=Phase.RUNNING)), UpdateWorkspaceStatus)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RUNNING])
def test_a_build_whose_job_is_gone_may_have_made_resources_and_is_destroyed(phase: Phase) -> None:
    workspace = a_workspace(deleting=True, parameters=(("size", "2"),), status=recorded(a_build(phase=phase)))

    decision = decided(workspace)

    assert isinstance(decision, CreateBuild)
    assert (decision.number, decision.transition, decision.version.name) == (2, Transition.DELETE, VERSION)
    assert decision.parameters == (("size", "2"),)
    destroyed = a_build(2, change=decision.change, transition=Transition.DELETE)
    assert isinstance(decided(workspace, destroyed), ReleaseWorkspace)


def test_a_build_whose_job_was_deleted_while_it_waited_needs_no_destroy() -> None:
    pending = a_build(phase=Phase.PENDING)

    assert isinstance(
        decided(a_workspace(deleting=True), replace(pending, record=pending.record.deleted())), ReleaseWorkspace
    )


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            a_build(phase=Phase.PENDING).record.vanished(),
            "Build 1 (job dev-1) was deleted, and may have started before. ",
        ),
        (a_build(phase=Phase.PENDING).record.deleted(), "Build 1 (job dev-1) was deleted before it ended. "),
        (a_build(phase=Phase.RUNNING).record.vanished(), "Build 1 (job dev-1) was deleted before it ended. "),
    ],
    ids=["vanished", "waiting", "running"],
)
def test_a_deleted_job_is_reported_as_canceled(record: BuildRecord, message: str) -> None:
    workspace = a_workspace()

    status = reported(workspace, replace(a_build(), record=replace(record, change=wanted_change(workspace))))

    assert next(each.message for each in status.conditions if each.type == "Ready").startswith(message)
    assert ready_reason(status) == "BuildCanceled"


def test_a_build_whose_job_vanished_is_destroyed_with_its_own_version_and_values() -> None:
    size = (("size", "2"),)
    before = a_workspace(parameters=size, status=replace(recorded(a_build()), parameters=(("size", "1"),)))
    change = wanted_change(before, "template-2")
    pending = a_build(2, phase=Phase.PENDING, change=change, version="template-2", parameters=size)
    vanished = replace(pending, record=pending.record.vanished())

    status = reported(before, vanished, template=NEWER)

    assert (status.last_run, status.version, status.parameters) == (vanished.record, "template-2", size)
    # From what is at hand as well as from the status alone.
    edited = a_workspace(deleting=True, parameters=(("size", "3"),))
    for workspace, builds in (
        (replace(edited, status=before.status), [vanished]),
        (replace(edited, status=status), []),
    ):
        decision = decided(workspace, *builds, template=NEWER)
        assert isinstance(decision, CreateBuild)
        assert (decision.version.name, decision.parameters) == ("template-2", size)


def test_what_has_not_begun_is_superseded_by_a_deletion_and_needs_no_destroy() -> None:
    workspace = a_workspace(deleting=True)

    assert isinstance(decided(workspace, a_build(phase=Phase.PENDING)), Supersede)
    never = a_build(phase=Phase.CANCELED, began=False, reason=SUPERSEDED)
    assert isinstance(decided(workspace, never), ReleaseWorkspace)


def test_a_destroy_that_waits_is_not_superseded() -> None:
    workspace = a_workspace(deleting=True, rebuild_generation=1)
    waiting = a_build(2, phase=Phase.PENDING, transition=Transition.DELETE, change="older")

    assert isinstance(decided(workspace, a_build(), waiting), UpdateWorkspaceStatus)


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.RUNNING])
def test_an_orphan_is_let_go_as_it_is(phase: Phase) -> None:
    workspace = a_workspace(deleting=True, deletion_policy=DeletionPolicy.ORPHAN)

    assert isinstance(decided(workspace, a_build(phase=phase)), ReleaseWorkspace)


def test_one_that_was_never_built_is_let_go_once_all_jobs_have_been_looked_through() -> None:
    workspace = a_workspace(deleting=True)

    assert isinstance(decided(workspace, searched=False), FindBuilds)
    assert isinstance(decided(workspace), ReleaseWorkspace)


def test_without_its_template_nothing_is_destroyed_and_it_says_so() -> None:
    plan = plan_workspace(a_workspace(deleting=True), None, BuildFacts({1: a_build()}, searched=True), at(0))

    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    message = next(each.message for each in plan.decision.status.conditions if each.type == "Ready")
    assert "Orphan" in message


def test_a_deleted_workspace_that_only_others_hold_is_left_alone() -> None:
    workspace = a_workspace(deleting=True, finalizers=("another",))

    for builds in ([], [a_build()], [a_build(phase=Phase.RUNNING)]):
        assert planned(workspace, *builds) == WorkspacePlan()
        assert planned(workspace, *builds, searched=False) == WorkspacePlan()


def test_the_finalizers_of_workspaces_and_templates_come_and_go_beside_the_others() -> None:
    workspace, template = a_workspace(finalizers=("other",)), a_template(finalizers=("other",))
    held, kept = (*workspace.finalizers, DESTROY_FINALIZER), (*template.finalizers, IN_USE_FINALIZER)

    assert HoldWorkspace(workspace).patch().sets == (("/metadata/finalizers", list(held)),)
    assert HoldTemplate(template).patch().sets == (("/metadata/finalizers", list(kept)),)
    assert ReleaseWorkspace(replace(workspace, finalizers=held)).patch().sets == (("/metadata/finalizers", ["other"]),)
    assert ReleaseTemplate(replace(template, finalizers=kept)).patch().sets == (("/metadata/finalizers", ["other"]),)
