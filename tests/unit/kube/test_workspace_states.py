"""The states of workspaces and templates that requests decide by."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, UpdatePolicy
from provisioner_operator.core.workspaces.requests import TemplateState, WorkspaceState
from provisioner_operator.kube.object_states import meta_of
from provisioner_operator.kube.workspace_states import template_state, workspace_state
from support.builders.manifests import a_template_manifest, a_workspace_manifest


def a_workspace(status: Any = None, **spec: Any) -> WorkspaceState:
    return workspace_state(a_workspace_manifest(**spec) | {"status": status})


def a_template(status: Any = None, **spec: Any) -> TemplateState:
    return template_state(a_template_manifest(**spec) | {"status": status})


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        ({"job": "dev-2", "transition": "Stop", "version": "docker-2"}, ("dev-2", "Stop", "docker-2")),
        ({"job": "dev-2"}, ("dev-2", "", "")),
        (None, ("", "", "")),
    ],
)
def test_the_latest_build_is_shown_as_far_as_there_is_one(latest: Any, expected: tuple[str, str, str]) -> None:
    state = a_workspace({"latestBuild": latest})

    assert (state.latest_job, state.latest_transition, state.latest_version) == expected


def test_a_workspace_of_which_only_the_template_is_given_has_the_defaults() -> None:
    assert a_workspace() == WorkspaceState(
        meta=meta_of(a_workspace_manifest()),
        template="template",
        running=True,
        deleting=False,
        rebuild_generation=0,
        pinned_version=None,
        update_policy=UpdatePolicy.MANUAL,
        latest_job="",
        latest_transition="",
        latest_version="",
        outdated="",
        parameters=None,
        autostop_seconds=None,
        deletion_policy=DeletionPolicy.DELETE,
    )


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({"running": False}, "running", False),
        ({"rebuildGeneration": 7}, "rebuild_generation", 7),
        ({"templateRef": {"name": "template", "version": "template-1"}}, "pinned_version", "template-1"),
        ({"updatePolicy": "Always"}, "update_policy", UpdatePolicy.ALWAYS),
        ({"parameters": []}, "parameters", {}),
        ({"parameters": [{"name": "cpu", "value": 2}]}, "parameters", {"cpu": "2"}),
        ({"autostopSeconds": 60}, "autostop_seconds", 60),
        ({"deletionPolicy": "Orphan"}, "deletion_policy", DeletionPolicy.ORPHAN),
    ],
)
def test_each_field_of_a_workspaces_spec_is_read(spec: dict[str, Any], field: str, value: object) -> None:
    assert getattr(a_workspace(**spec), field) == value


def test_a_workspace_that_is_being_deleted_says_so() -> None:
    body = a_workspace_manifest()
    body["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    assert workspace_state(body).deleting


@pytest.mark.parametrize(
    ("conditions", "outdated"),
    [
        (None, ""),
        ([{"type": "Outdated", "status": "True", "message": "Rebuild it."}], "Rebuild it."),
        ([{"type": "Outdated", "status": "True"}], ""),
        ([{"type": "Outdated", "status": "False", "message": "Up to date."}], ""),
        ([{"type": "Ready", "status": "True", "message": "Ready."}], ""),
    ],
)
def test_an_outdated_workspace_tells_why(conditions: Any, outdated: str) -> None:
    assert a_workspace({"conditions": conditions}).outdated == outdated


@pytest.mark.parametrize(
    ("status", "spec", "expected"),
    [
        (None, {}, (0, "", "")),
        ({"versions": []}, {"importGeneration": 4}, (4, "", "")),
        (
            {"activeVersion": "template-1", "versions": [{"importJob": "first"}, {"importJob": "second"}]},
            {},
            (0, "template-1", "second"),
        ),
        ({"versions": [{"importJob": "first"}, {}]}, {}, (0, "", "")),
        ({"versions": [{"importJob": each} for each in ("first", "second", "third")]}, {}, (0, "", "third")),
    ],
)
def test_a_template_shows_its_active_version_and_the_import_of_its_newest(
    status: Any, spec: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    state = a_template(status, **spec)

    assert (state.import_generation, state.active_version, state.import_job) == expected
    assert state.meta.name == "template"
