"""The statuses of templates and workspaces as they are written, field by field."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase, WorkspacePhase
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.workspaces.records import Parameter, TemplateStatus, WorkspaceStatus
from provisioner_operator.core.workspaces.status import (
    template_status_patch,
    with_state_saved,
    workspace_status_patch,
)
from support.builders.core import NOON
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace

RESOURCES = (ResourceChange("docker_container.dev", "docker_container", "create"),)
RESOURCES_WRITTEN = [{"address": "docker_container.dev", "type": "docker_container", "action": "create"}]
NOON_WRITTEN = "2027-01-15T08:00:00.000000Z"


def written(status: WorkspaceStatus | TemplateStatus) -> Any:
    if isinstance(status, WorkspaceStatus):
        patch = workspace_status_patch(a_workspace(), status)
    else:
        patch = template_status_patch(a_template(), status)
    return dict(patch.sets)["/status"]


def test_a_state_that_was_not_saved_and_is_by_now_is_reported_so() -> None:
    status = with_state_saved(WorkspaceStatus(), None, NOON)
    assert status.conditions == ()
    for unsaved, expected in (("No quota.", ("False", "Unsaved", "No quota.")), (None, ("True", "Saved"))):
        status = with_state_saved(status, unsaved, NOON)
        (condition,) = status.conditions
        assert (condition.status, condition.reason, condition.message)[: len(expected)] == expected


def test_a_workspaces_status_has_its_builds_and_what_they_made() -> None:
    failed = a_build(2, phase=Phase.FAILED, change="b", reason="Failed", message="No quota.").record
    status = WorkspaceStatus(
        phase=WorkspacePhase.FAILED,
        build_number=2,
        latest_build=failed,
        last_run=failed,
        completed_build=1,
        version=VERSION,
        parameters=(("size", "2"),),
        stops_at=NOON,
        outputs=(Output("ip", "10.0.0.1"),),
        resources=RESOURCES,
        observed_generation=4,
    )
    build = {
        "number": 2,
        "job": "dev-2",
        "transition": "Start",
        "version": VERSION,
        "change": "b",
        "phase": "Failed",
        "reason": "Failed",
        "message": "No quota.",
        "startedAt": NOON_WRITTEN,
        "finishedAt": NOON_WRITTEN,
    }

    assert written(status) == {
        "phase": "Failed",
        "buildNumber": 2,
        "latestBuild": build,
        "lastRun": build,
        "completedBuild": 1,
        "version": VERSION,
        "parameters": [{"name": "size", "value": "2"}],
        "stopsAt": NOON_WRITTEN,
        "outputs": [{"name": "ip", "value": "10.0.0.1"}],
        "resources": RESOURCES_WRITTEN,
        "observedGeneration": 4,
        "conditions": [],
    }


def test_a_status_leaves_out_what_is_unknown() -> None:
    waiting = a_build(phase=Phase.PENDING).record

    status = written(WorkspaceStatus(build_number=1, latest_build=waiting))

    assert status.keys().isdisjoint({"lastRun", "version", "stopsAt", "observedGeneration"})
    assert status["latestBuild"].keys().isdisjoint({"reason", "message", "startedAt", "finishedAt"})


def test_a_templates_status_has_its_versions_with_messages_that_fit() -> None:
    failed = a_version(
        "template-2", phase=VersionPhase.FAILED, message="x" * 100_000, superseded=NOON, git={"ref": "a"}
    )
    status = TemplateStatus(
        VERSION,
        (a_version(parameters=(Parameter("size"),)), failed),
        ({"name": "size"},),
        RESOURCES,
        workspaces=3,
        observed_generation=2,
    )

    found = written(status)
    first, second = found.pop("versions")

    assert found == {
        "activeVersion": VERSION,
        "variables": ({"name": "size"},),
        "resources": RESOURCES_WRITTEN,
        "workspaces": 3,
        "observedGeneration": 2,
        "conditions": [],
    }
    assert first == {
        "name": VERSION,
        "phase": "Ready",
        "importJob": f"{VERSION}-import",
        "createdAt": NOON_WRITTEN,
        "provisioner": "terraform",
        "files": True,
        "parameters": [{"name": "size", "type": "string", "mutable": False}],
    }
    assert len(second["message"]) < 100_000
    assert (second["supersededAt"], second["git"]) == (NOON_WRITTEN, {"ref": "a"})
