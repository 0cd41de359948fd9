"""The condition Outdated, and the ways that lead a failed workspace to a corrected template."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, UpdatePolicy
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.decisions import CreateBuild
from provisioner_operator.core.workspaces.records import Build, Template, WorkspaceStatus
from support.builders.build_plans import NEWER, decided, reported, wanted_change
from support.builders.workspaces import VERSION, a_build, a_template, a_workspace

MOVE = (
    "the active version of template template is template-2. Choose it in spec.templateRef.version, or run "
    "`kubectl provisioner workspaces update dev`."
)


def condition(status: WorkspaceStatus, type_: str) -> Condition | None:
    return next((each for each in status.conditions if each.type == type_), None)


def ready_message(status: WorkspaceStatus) -> str:
    ready = condition(status, "Ready")
    assert ready is not None
    return ready.message


@pytest.mark.parametrize(
    ("template", "builds", "expected"),
    [
        (a_template(), [a_build()], ("False", "ActiveVersion")),
        (NEWER, [a_build()], ("True", "NewerVersion")),
        (NEWER, [a_build(), a_build(2, version="template-2")], ("False", "ActiveVersion")),
        (a_template(active=None), [a_build()], None),
        (NEWER, [], None),
    ],
)
def test_a_workspace_is_outdated_while_its_template_has_another_active_version(
    template: Template, builds: list[Build], expected: tuple[str, str] | None
) -> None:
    workspace = a_workspace(running=bool(builds))
    built = [replace(each, record=replace(each.record, change=_change_of(each, workspace))) for each in builds]

    found = condition(reported(workspace, *built, template=template), "Outdated")

    assert (None if found is None else (found.status, found.reason)) == expected


def _change_of(build: Build, workspace: Any) -> str:
    assert build.record.version is not None
    return wanted_change(workspace, build.record.version)


def test_an_outdated_workspace_says_how_to_move() -> None:
    workspace = a_workspace()

    found = condition(reported(workspace, a_build(change=wanted_change(workspace)), template=NEWER), "Outdated")

    assert found is not None
    assert found.message == f"It is built with version template-1; {MOVE}"


@pytest.mark.parametrize(
    ("fields", "phase", "moves"),
    [
        ({}, Phase.COMPLETED, False),
        ({}, Phase.FAILED, True),
        ({"update_policy": UpdatePolicy.ON_START}, Phase.COMPLETED, True),
        ({"update_policy": UpdatePolicy.ALWAYS, "running": False}, Phase.COMPLETED, True),
        ({"update_policy": UpdatePolicy.ON_START, "pinned_version": VERSION}, Phase.COMPLETED, False),
        ({"pinned_version": VERSION}, Phase.FAILED, False),
        ({"deleting": True, "finalizers": ("another", DESTROY_FINALIZER)}, Phase.RUNNING, False),
    ],
    ids=str,
)
def test_an_outdated_workspace_that_moves_by_itself_says_so(
    fields: dict[str, Any], phase: Phase, *, moves: bool
) -> None:
    workspace = a_workspace(**fields)
    transition = Transition.START if workspace.running else Transition.STOP
    build = a_build(phase=phase, change=wanted_change(workspace), transition=transition)

    found = condition(reported(workspace, build, template=NEWER), "Outdated")

    assert found is not None
    by_itself = "its next start builds template-2, the active version of template template."
    assert found.message == f"It is built with version template-1; {by_itself if moves else MOVE}"


def test_a_first_build_that_failed_is_rebuilt_with_the_corrected_template() -> None:
    workspace = a_workspace()
    failed = a_build(phase=Phase.FAILED, change=wanted_change(workspace), message="No quota.")

    status = reported(workspace, failed, template=NEWER)

    assert ready_message(status) == (
        "Build 1 (job dev-1) failed: No quota. Change the workspace, or raise spec.rebuildGeneration to build it again "
        "with version template-2."
    )
    for again in ({"rebuild_generation": 1}, {"parameters": (("size", "2"),)}):
        decision = decided(replace(workspace, **again), failed, template=NEWER)
        assert isinstance(decision, CreateBuild)
        assert decision.version.name == "template-2"


def test_a_corrected_template_alone_builds_nothing() -> None:
    workspace = a_workspace()
    failed = a_build(phase=Phase.FAILED, change=wanted_change(workspace))

    assert not isinstance(decided(workspace, failed, template=NEWER), CreateBuild)


def test_a_later_failure_says_which_version_a_rebuild_uses_and_how_to_move() -> None:
    workspace = a_workspace(parameters=(("size", "2"),))
    failed = a_build(2, phase=Phase.FAILED, change=wanted_change(workspace), message="No quota.")

    status = reported(workspace, a_build(), failed, template=NEWER)

    assert ready_message(status) == (
        "Build 2 (job dev-2) failed: No quota. Change the workspace, or raise spec.rebuildGeneration to build it again "
        f"with version template-1. That does not update it: {MOVE}"
    )
    assert status.completed_build == 1
    decision = decided(replace(workspace, rebuild_generation=1), a_build(), failed, template=NEWER)
    assert isinstance(decision, CreateBuild)
    assert decision.version.name == "template-1"


def test_a_destroy_that_failed_has_a_reason_of_its_own_and_names_its_version() -> None:
    workspace = a_workspace(deleting=True)
    destroy = decided(workspace, a_build())
    assert isinstance(destroy, CreateBuild)
    for phase, reason in ((Phase.FAILED, "DestroyFailed"), (Phase.CANCELED, "DestroyCanceled")):
        ended = a_build(2, phase=phase, transition=Transition.DELETE, change=destroy.change)
        status = reported(workspace, a_build(), ended)
        ready = condition(status, "Ready")
        assert ready is not None
        assert ready.reason == reason
        assert "Raise spec.rebuildGeneration to destroy it again with version template-1" in ready.message
