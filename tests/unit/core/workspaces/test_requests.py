"""The changes that start, stop, rebuild and update ask for."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, UpdatePolicy
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.request_errors import NothingToChangeError, NotPossibleError
from provisioner_operator.core.workspaces.requests import (
    WorkspaceState,
    autostop_patch,
    deletion_policy_patch,
    rebuild_patch,
    running_patch,
    start_patch,
    stop_patch,
    update_patch,
    update_policy_patch,
)
from provisioner_operator.kube.workspace_states import workspace_state
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
    with pytest.raises(NothingToChangeError, match="already"):
        running_patch(state, running=running)


def test_a_workspace_that_is_being_deleted_is_not_started() -> None:
    with pytest.raises(NotPossibleError, match="being deleted"):
        running_patch(a_state("Delete", deleting=True), running=True)


def test_a_workspace_that_was_never_started_has_nothing_to_repeat() -> None:
    with pytest.raises(NothingToChangeError, match="never started"):
        rebuild_patch(a_state(None, running=False))


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
    with pytest.raises(NothingToChangeError, match=says):
        update_patch(state, "template-2")


def test_without_an_active_version_nothing_can_be_updated() -> None:
    with pytest.raises(NotPossibleError, match="Template template has no active version yet"):
        update_patch(a_state(), "")


def a_body(chosen: dict[str, str] | None = None, transition: str = "Start", **spec: Any) -> dict[str, Any]:
    given = {} if chosen is None else {"parameters": [{"name": name, "value": chosen[name]} for name in chosen]}
    status = {"latestBuild": {"job": "dev-1", "transition": transition}}
    return stored(a_workspace_manifest("dev", **(given | spec)), status=status)


def changed(body: dict[str, Any], patch: JsonPatch) -> dict[str, Any]:
    """The spec after the patch, which is valid for this very object."""
    assert patch.holds_for(body)
    assert ("/metadata/uid", body["metadata"]["uid"]) in patch.tests
    operations = [each for each in patch.operations() if each["op"] != "test"]
    spec: dict[str, Any] = jsonpatch.JsonPatch(operations).apply(body)["spec"]
    return spec


VALUES = st.dictionaries(st.sampled_from(["cpu", "region", "size"]), st.sampled_from(["1", "2"]))


@given(
    st.none() | VALUES, VALUES, st.booleans(), st.sampled_from(["Start", "Stop"]), st.sampled_from([None, "template-1"])
)
def test_a_start_always_builds_and_keeps_the_values_that_it_does_not_name(
    chosen: dict[str, str] | None,
    parameters: dict[str, str],
    running: bool,  # noqa: FBT001 - an example
    transition: str,
    version: str | None,
) -> None:
    body = a_body(chosen, transition, running=running, rebuildGeneration=0)

    spec = changed(body, start_patch(workspace_state(body), parameters=parameters, version=version))

    assert spec["running"] is True
    assert spec != body["spec"]
    assert {each["name"]: each["value"] for each in spec.get("parameters", [])} == {**(chosen or {}), **parameters}
    assert spec["templateRef"].get("version") == version


def test_a_start_of_what_is_stopped_also_chooses_a_version() -> None:
    body = a_body(transition="Stop", running=False, rebuildGeneration=4)
    spec = changed(body, start_patch(workspace_state(body), parameters={}, version="template-1"))
    assert (spec["running"], spec["rebuildGeneration"]) == (True, 4)
    assert spec["templateRef"]["version"] == "template-1"


def test_a_start_with_other_values_is_built_once() -> None:
    body = a_body({"cpu": "1"}, rebuildGeneration=4)
    spec = changed(body, start_patch(workspace_state(body), parameters={"cpu": "2"}))
    assert (spec["parameters"], spec["rebuildGeneration"]) == ([{"name": "cpu", "value": "2"}], 4)


def test_a_start_of_what_runs_as_desired_repeats_the_build() -> None:
    body = a_body({"cpu": "1"}, rebuildGeneration=4)
    assert changed(body, start_patch(workspace_state(body), parameters={"cpu": "1"}))["rebuildGeneration"] == 5


def test_a_start_after_an_autostop_builds_also_with_other_values() -> None:
    body = a_body({"cpu": "1"}, "Stop", rebuildGeneration=4)
    assert changed(body, start_patch(workspace_state(body), parameters={"cpu": "2"}))["rebuildGeneration"] == 5


@pytest.mark.parametrize(("transition", "running"), [("Start", True), ("Stop", True), ("Stop", False)])
def test_a_rebuild_builds_also_with_other_values(transition: str, running: bool) -> None:  # noqa: FBT001 - a column
    body = a_body({"cpu": "1"}, transition, running=running, rebuildGeneration=4)
    spec = changed(body, rebuild_patch(workspace_state(body), {"size": "2"}))
    assert (spec["running"], spec["rebuildGeneration"]) == (running, 5)
    assert spec["parameters"] == [{"name": "cpu", "value": "1"}, {"name": "size", "value": "2"}]


@pytest.mark.parametrize("running", [True, False])
def test_a_stop_stops_or_repeats_the_stop(running: bool) -> None:  # noqa: FBT001 - a column
    body = a_body(running=running, rebuildGeneration=4)
    spec = changed(body, stop_patch(workspace_state(body)))
    assert (spec["running"], spec["rebuildGeneration"]) == (False, 4 if running else 5)


def test_what_is_being_deleted_is_neither_started_nor_stopped() -> None:
    state = a_state("Delete", deleting=True)
    with pytest.raises(NotPossibleError, match="being deleted"):
        start_patch(state, parameters={})
    with pytest.raises(NotPossibleError, match="being deleted"):
        stop_patch(state)


def test_settings_are_changed_one_by_one_and_an_autostop_can_be_removed() -> None:
    body = a_body({"cpu": "1"}, autostopSeconds=60, updatePolicy="Manual", deletionPolicy="Delete")
    state = workspace_state(body)

    assert changed(body, autostop_patch(state, 3600))["autostopSeconds"] == 3600
    assert "autostopSeconds" not in changed(body, autostop_patch(state, None))
    assert changed(body, update_policy_patch(state, UpdatePolicy.ALWAYS))["updatePolicy"] == "Always"
    assert changed(body, deletion_policy_patch(state, DeletionPolicy.ORPHAN))["deletionPolicy"] == "Orphan"


@pytest.mark.parametrize(
    "make",
    [
        lambda state: autostop_patch(state, 60),
        lambda state: update_policy_patch(state, UpdatePolicy.MANUAL),
        lambda state: deletion_policy_patch(state, DeletionPolicy.DELETE),
    ],
    ids=["autostop", "update policy", "deletion policy"],
)
def test_settings_that_are_as_requested_are_left_alone(make: Callable[[WorkspaceState], JsonPatch]) -> None:
    body = a_body({"cpu": "1"}, autostopSeconds=60, updatePolicy="Manual", deletionPolicy="Delete")
    with pytest.raises(NothingToChangeError, match="has these settings already"):
        make(workspace_state(body))
