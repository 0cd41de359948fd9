"""Jobs that a workspace or a template created are repeated through their owner, or not at all."""

from typing import Any

import pytest

from provisioner_operator.core.model.request_errors import NotPossibleError
from provisioner_operator.core.workspaces.retry_by_owner import JobOwner, owner_of, repeated_build, repeated_import
from provisioner_operator.kube.workspace_states import template_state, workspace_state
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.builders.stored import stored


def a_workspace_body(transition: str = "Start", job: str = "dev-7", **spec: Any) -> dict[str, Any]:
    status = {"latestBuild": {"job": job, "transition": transition, "version": "template-1"}}
    body = stored(a_workspace_manifest("dev", rebuildGeneration=3, **spec), status=status)
    body["metadata"]["uid"] = "uid-of-dev"
    return body


def a_build_of(transition: str = "Start") -> JobOwner:
    return JobOwner("workspace", "dev", "uid-of-dev", "dev-7", transition)


@pytest.mark.parametrize(
    ("spec", "owner"),
    [
        (
            {"transition": "Stop", "workspaceRef": {"name": "dev", "uid": "w"}, "templateRef": {"name": "t"}},
            JobOwner("workspace", "dev", "w", "dev-7", "Stop"),
        ),
        ({"templateRef": {"name": "t", "uid": "u"}}, JobOwner("template", "t", "u", "dev-7")),
        ({"workspaceRef": {"name": "dev"}, "templateRef": {"name": "t"}}, None),
        ({"type": "WorkspacePlan", "workspaceRef": {"name": "dev", "uid": "w"}}, None),
        ({}, None),
    ],
)
def test_the_owner_of_a_job_is_the_object_that_created_it(spec: dict[str, Any], owner: JobOwner | None) -> None:
    assert owner_of("dev-7", spec) == owner


@pytest.mark.parametrize(("transition", "running"), [("Start", True), ("Stop", False)])
def test_the_latest_build_is_repeated_by_the_rebuild_generation(transition: str, running: bool) -> None:  # noqa: FBT001 - a column
    patch = repeated_build(workspace_state(a_workspace_body(transition, running=running)), a_build_of(transition))

    assert ("/spec/rebuildGeneration", 4) in patch.sets
    assert ("/metadata/uid", "uid-of-dev") in patch.tests
    assert ("/spec/rebuildGeneration", 3) in patch.tests


def test_a_destroy_is_repeated_while_the_workspace_is_being_deleted() -> None:
    body = a_workspace_body("Delete")
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert ("/spec/rebuildGeneration", 4) in repeated_build(workspace_state(body), a_build_of("Delete")).sets


@pytest.mark.parametrize(
    ("body", "owner", "says"),
    [
        (a_workspace_body(job="dev-9"), a_build_of(), "workspace dev, which is dev-9"),
        (a_workspace_body("Stop"), a_build_of("Stop"), "asks for a start"),  # stopped by its autostop
        (a_workspace_body(running=False), a_build_of(), "asks for a stop"),
        (
            a_workspace_body(),
            JobOwner("workspace", "dev", "another", "dev-7", "Start"),
            "workspace dev that created dev-7 is gone",
        ),
    ],
    ids=["older", "autostop", "stopped since", "created anew"],
)
def test_a_build_that_a_rebuild_would_not_repeat_is_refused(body: Any, owner: JobOwner, says: str) -> None:
    with pytest.raises(NotPossibleError, match=says):
        repeated_build(workspace_state(body), owner)


def test_the_newest_import_is_repeated_by_the_import_generation() -> None:
    versions = [{"name": "t-1", "importJob": "t-1-import"}, {"name": "t-2", "importJob": "t-2-import"}]
    body = stored(a_template_manifest("t"), status={"versions": versions})
    uid = body["metadata"]["uid"]

    patch = repeated_import(template_state(body), JobOwner("template", "t", uid, "t-2-import"))

    assert patch.sets == (("/spec/importGeneration", 1),)
    with pytest.raises(NotPossibleError, match="its newest import is t-2-import"):
        repeated_import(template_state(body), JobOwner("template", "t", uid, "t-1-import"))
    with pytest.raises(NotPossibleError, match="is gone"):
        repeated_import(template_state(body), JobOwner("template", "t", "another", "t-2-import"))
