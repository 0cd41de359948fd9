"""The changes that start, stop, rebuild and update ask for."""

from typing import Any

import pytest

from provisioner_operator.cli.api.rebuilds import describe_rebuild, rebuild_patch
from provisioner_operator.cli.api.workspace_objects import WorkspaceState, workspace_state
from provisioner_operator.cli.errors import NothingToDoError, PreconditionError
from provisioner_operator.cli.workspaces.start import running_patch
from provisioner_operator.cli.workspaces.update import update_patch
from support.builders.manifests import a_workspace_manifest
from support.builders.stored import stored

REBUILD = ("/spec/rebuildGeneration", 1)
PIN = ("/spec/templateRef/version", "template-2")


def a_state(
    transition: str | None = "Start",
    *,
    version: str = "template-1",
    deleting: bool = False,
    pin: str | None = None,
    conditions: Any = (),
    **spec: Any,
) -> WorkspaceState:
    build = {"job": "dev-1", "transition": transition, "version": version}
    reference = {"name": "template"} | ({"version": pin} if pin else {})
    status = {"latestBuild": build if transition else None, "conditions": list(conditions)}
    body = stored(a_workspace_manifest("dev", templateRef=reference, **spec), status=status)
    if deleting:
        body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return workspace_state(body)


def test_a_stopped_workspace_is_started_and_a_running_one_stopped() -> None:
    assert running_patch(a_state("Stop", running=False), running=True).sets == (("/spec/running", True),)
    assert running_patch(a_state(), running=False).sets == (("/spec/running", False),)


def test_one_that_its_autostop_stopped_is_started_by_a_rebuild() -> None:
    assert running_patch(a_state("Stop"), running=True).sets == (REBUILD,)


@pytest.mark.parametrize(("state", "running"), [(a_state(), True), (a_state("Stop", running=False), False)])
def test_what_is_desired_already_is_left_alone(state: WorkspaceState, running: bool) -> None:  # noqa: FBT001 - a column
    with pytest.raises(NothingToDoError, match="already"):
        running_patch(state, running=running)


def test_a_workspace_that_is_being_deleted_is_not_started() -> None:
    with pytest.raises(PreconditionError, match="being deleted"):
        running_patch(a_state("Delete", deleting=True), running=True)


def test_a_workspace_that_was_never_started_has_nothing_to_repeat() -> None:
    with pytest.raises(NothingToDoError, match="never started"):
        rebuild_patch(a_state(None, running=False))


def test_a_rebuild_says_that_there_is_a_newer_version() -> None:
    outdated = {"type": "Outdated", "status": "True", "message": "There is a newer version."}

    assert describe_rebuild(a_state(), dry_run=True) == "will be started again (dry run)"
    assert describe_rebuild(a_state(conditions=[outdated]), dry_run=False) == (
        "will be started again. There is a newer version."
    )


@pytest.mark.parametrize(
    ("state", "sets"),
    [
        (a_state(), (PIN,)),
        (a_state("Stop", running=False), (PIN,)),
        (a_state(pin="template-1"), (PIN,)),
        (a_state(pin="template-1", updatePolicy="Always"), (PIN,)),
        (a_state(updatePolicy="OnStart"), (REBUILD,)),
        (a_state("Delete", deleting=True), (PIN, REBUILD)),
        (a_state("Delete", deleting=True, updatePolicy="Always"), (PIN, REBUILD)),
    ],
)
def test_an_update_chooses_the_active_version(state: WorkspaceState, sets: Any) -> None:
    assert update_patch(state, "template-2").sets == sets


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (a_state(version="template-2"), "uses the active version template-2 already"),
        (a_state(pin="template-2"), "uses the active version template-2 already"),
        (a_state(None, version=""), "uses the active version template-2 already"),
        (a_state(updatePolicy="Always"), "by itself"),
        (a_state("Stop", running=False, updatePolicy="OnStart"), "when it is started"),
        (a_state("Stop", running=False, updatePolicy="Always"), "when it is started: its updatePolicy is Always"),
    ],
)
def test_a_workspace_that_uses_it_or_moves_by_itself_is_left_alone(state: WorkspaceState, says: str) -> None:
    with pytest.raises(NothingToDoError, match=says):
        update_patch(state, "template-2")


def test_without_an_active_version_nothing_can_be_updated() -> None:
    with pytest.raises(PreconditionError, match="templates show template"):
        update_patch(a_state(), "")
