"""Parsing of templates: what the status records comes back as it was written."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType, Phase, Provisioner, WorkspacePhase
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.workspaces.drift.records import Drift
from provisioner_operator.core.workspaces.records import Parameter, Template, TemplateStatus, WorkspaceStatus
from provisioner_operator.core.workspaces.status import template_status_patch, workspace_status_patch
from provisioner_operator.kube.job_parsing import parse_job_records
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace
from support.builders.manifests import a_job_manifest, a_template_manifest, a_workspace_manifest, an_assignment
from support.builders.stored import stored
from support.builders.workspaces import a_build, a_drift_check, a_plan, a_template, a_version, a_workspace

NOON = "2027-01-15T08:00:00Z"
NOON_SECONDS = 1_800_000_000.0


def test_a_plan_is_no_build_of_the_workspace_that_it_names() -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "owner": "sam"}
    bodies = [
        stored(a_job_manifest(type=type_, workspaceRef=reference)) for type_ in ("WorkspaceBuild", "WorkspacePlan")
    ]
    build, plan = map(parse_job_records, bodies)

    assert (build.build is not None, build.job.builds_workspace) == (True, True)
    assert (plan.build, plan.job.builds_workspace) == (None, False)
    assert (plan.job.workspace, plan.job.changed_workspace, plan.job.workspace_owner) == ("dev", None, "sam")


@pytest.mark.parametrize("kept", [True, False])
def test_only_a_plan_that_is_kept_is_one_for_approval(*, kept: bool) -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}
    running: dict[str, Any] = {"phase": "Running", "assignment": an_assignment(), "startedAt": NOON}
    ended = running | {"phase": "Completed", "finishedAt": NOON, "message": "A start.", "planDigest": "d" * 64}
    body = stored(a_job_manifest("dev-3", type="WorkspacePlan", workspaceRef=reference, keepPlan=kept), status=ended)

    plan = parse_job_records(body).plan

    wanted = a_plan(3, change="c", version=None, message="A start.", digest="d" * 64).record
    assert (None if plan is None else plan.record) == (wanted if kept else None)


def test_a_plan_without_a_number_or_a_transition_is_of_no_build() -> None:
    reference = {"name": "dev", "uid": "uid-of-dev"}
    for spec in ({"workspaceRef": reference}, {"workspaceRef": reference | {"buildNumber": 1}, "transition": None}):
        body = stored(a_job_manifest(type="WorkspacePlan", keepPlan=True, **spec))
        assert parse_job_records(body).plan is None


def test_a_workspace_keeps_its_latest_plan() -> None:
    plan = a_plan(message="A start.", reason="Completed").record
    ((_, status),) = workspace_status_patch(a_workspace(), WorkspaceStatus(plan=plan)).sets
    manifest = a_workspace_manifest("dev", approval="Required", approved="d" * 64, approvalTimeoutSeconds=9)

    workspace = parse_workspace(stored(manifest) | {"status": status})

    assert workspace.status.plan == plan
    assert (workspace.needs_approval, workspace.approved, workspace.approval_timeout) == (True, "d" * 64, 9)


def test_a_plan_with_the_change_of_a_build_is_a_check_for_drift() -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}
    resources = [{"address": "disk", "type": "disk", "action": "replace"}]
    status = {"phase": "Completed", "message": "words", "finishedAt": NOON, "resources": resources}
    body = stored(a_job_manifest("dev-drift-abc", type="WorkspacePlan", workspaceRef=reference), status=status)

    records = parse_job_records(body)

    assert records.build is None
    assert records.drift_check == a_drift_check(
        build=3,
        job_uid=body["metadata"]["uid"],
        resource_version=int(body["metadata"]["resourceVersion"]),
        message="words",
        resources=(ResourceChange("disk", "disk", "replace"),),
        finished=0,
    )
    pending = stored(a_job_manifest("dev-drift-abc", type="WorkspacePlan", workspaceRef=reference))
    check = parse_job_records(pending).drift_check
    assert check is not None
    assert (check.ended, check.finished) == (False, 0)


def test_another_plan_of_the_controller_is_no_check_for_drift() -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}

    plan = a_job_manifest("dev-3", type="WorkspacePlan", workspaceRef=reference)

    assert parse_job_records(stored(plan)).drift_check is None


@pytest.mark.parametrize("missing", ["uid", "buildNumber", "change"])
def test_a_plan_by_a_user_is_no_check_for_drift(missing: str) -> None:
    reference = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}
    del reference[missing]

    plan = a_job_manifest("dev-drift-abc", type="WorkspacePlan", workspaceRef=reference)
    assert parse_job_records(stored(plan)).drift_check is None
    assert parse_job_records(stored(a_job_manifest(type="TemplateDryRun"))).drift_check is None


@pytest.mark.parametrize(
    "drift", [None, Drift(NOON_SECONDS, 3, "dev-drift-abc", (ResourceChange("a", "b", "create"),))]
)
def test_the_result_of_a_check_is_read_as_it_was_written(drift: Drift | None) -> None:
    written: Any = workspace_status_patch(a_workspace(), WorkspaceStatus(drift=drift)).sets[0][1]
    manifest = a_workspace_manifest(driftCheckSeconds=300)

    read = parse_workspace(stored(manifest, status=written))

    assert (read.status.drift, read.drift_check) == (drift, 300)
    assert ("drift" in written) is (drift is not None)


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("size"),
        Parameter("size", ParameterType.NUMBER, default="", mutable=True, minimum=0, maximum=8),
        Parameter("size", default="a", options=("a", "b"), regex="^[a-z]$", error="one letter"),
    ],
    ids=str,
)
def test_a_version_keeps_its_parameters(parameter: Parameter) -> None:
    written = TemplateStatus(versions=(a_version(parameters=(parameter,)),))

    assert read_back(written).status.versions == written.versions


def test_a_version_keeps_its_variables_as_they_were_written() -> None:
    by_secret = {"name": "token", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}}
    written = TemplateStatus(versions=(a_version(variables=({"name": "note", "value": ""}, by_secret)),))
    template = read_back(written, variables=[*written.versions[0].variables])

    assert template.status.versions == (
        replace(written.versions[0], parameters=template.status.versions[0].parameters),
    )
    assert template.status.versions[0].variables == template.variables


def test_a_version_keeps_the_place_of_its_states() -> None:
    state = {"backend": "Template", "backendConfig": [{"name": "key", "value": "$(provisioner_workspace)"}]}
    template = read_back(TemplateStatus(versions=(a_version(state=state), a_version("v-2"))), state=state)

    assert [each.state for each in template.status.versions] == [state, None]
    assert template.state == state


@pytest.mark.parametrize("state", [{}, {"backend": "Kubernetes"}])
def test_the_default_place_of_states_is_none_of_its_own(state: dict[str, Any]) -> None:
    assert read_back(TemplateStatus(), state=state).state is None


def test_a_version_keeps_its_provisioner() -> None:
    written = TemplateStatus(versions=(a_version(provisioner=Provisioner.TERRAFORM),))

    assert read_back(written, provisioner="echo").status.versions[0].provisioner is Provisioner.TERRAFORM


def test_a_version_has_from_the_template_what_was_not_recorded() -> None:
    read = read_back(
        TemplateStatus(versions=(a_version(),)), forgotten=("parameters", "provisioner"), provisioner="echo"
    )

    assert [each.name for each in read.parameters] == ["size"]
    assert read.status.versions[0].parameters == read.parameters
    assert read.status.versions[0].provisioner is Provisioner.ECHO


@pytest.mark.parametrize(
    ("status", "number"),
    [
        ({}, 0),
        ({"lastRun": {"number": 5, "job": "dev-5", "change": "a", "transition": "Start", "phase": "Failed"}}, 5),
        (
            {
                "lastRun": {"number": 5, "job": "dev-5", "change": "a", "transition": "Start", "phase": "Failed"},
                "completedBuild": 0,
            },
            0,
        ),
    ],
)
def test_a_workspace_that_was_built_before_that_was_recorded_counts_as_built(
    status: dict[str, Any], number: int
) -> None:
    meta = {"name": "dev", "namespace": "acme", "uid": "uid", "resourceVersion": "1", "generation": 1}
    spec = {"templateRef": {"name": "template"}}

    read = parse_workspace({"metadata": meta | {"creationTimestamp": NOON}, "spec": spec, "status": status})

    assert read.status.completed_build == number


def test_a_workspace_is_read_as_it_was_written() -> None:
    record = a_build(3, change="c", message="words", reason="RunFailed", phase=Phase.FAILED).record
    written = WorkspaceStatus(
        phase=WorkspacePhase.FAILED,
        build_number=3,
        completed_build=2,
        latest_build=record,
        last_run=a_build(2, change="b").record,
        version="docker-2",
        parameters=(("cpu", "2"), ("size", "4")),
        stops_at=NOON_SECONDS,
        outputs=(Output("ip", "10.0.0.1"),),
        resources=(ResourceChange("disk", "disk", "create"),),
        observed_generation=7,
    )
    ((_, status),) = workspace_status_patch(a_workspace(), written).sets
    parameters = [{"name": "size", "value": "4"}, {"name": "cpu", "value": "2"}]

    read = parse_workspace(stored(a_workspace_manifest(parameters=parameters)) | {"status": status})

    assert replace(read.status, conditions=()) == written
    assert read.parameters == (("cpu", "2"), ("size", "4"))


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        ({"inline": {"files": {"main.tf": "text"}}}, "files", {"main.tf": "text"}),
        ({"configMapRef": {"name": "files"}}, "config_map", "files"),
        (
            {"git": {"url": "https://git.example.org/a", "ref": "main"}},
            "git",
            {"url": "https://git.example.org/a", "ref": "main"},
        ),
    ],
)
def test_a_template_has_one_source(source: dict[str, Any], field: str, value: Any) -> None:
    template = read_back(TemplateStatus(), source=source)
    others = {"files", "config_map", "git"} - {field}

    read = getattr(template, field)
    assert (read | value if isinstance(value, dict) else value) == read
    assert [getattr(template, other) for other in others] == [None, None]


def test_a_template_without_a_source_has_none() -> None:
    template = read_back(TemplateStatus())

    assert (template.files, template.config_map, template.git) == (None, None, None)


def read_back(status: TemplateStatus, *, forgotten: Iterable[str] = (), **template: Any) -> Template:
    """The template as it is read after the status was written."""
    written: Any = template_status_patch(a_template(), status).sets[0][1]
    for field in forgotten:
        del written["versions"][0][field]
    manifest = a_template_manifest()
    stored = {"namespace": "acme", "uid": "uid", "resourceVersion": "1", "generation": 1}
    meta = manifest["metadata"] | stored | {"creationTimestamp": NOON}
    spec = manifest["spec"] | {"parameters": [{"name": "size"}]} | template
    return parse_template(manifest | {"metadata": meta, "spec": spec, "status": written})


@pytest.mark.parametrize("text", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense", None])
def test_of_a_workspace_only_a_valid_traceparent_is_kept(text: str | None) -> None:
    body = stored(a_workspace_manifest())
    body["metadata"]["annotations"] = {} if text is None else {"provisioner.dev/traceparent": text}

    assert parse_workspace(body).traceparent == (None if text == "nonsense" else text)
