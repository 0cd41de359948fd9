"""The manifests of jobs and kept files, field by field."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Provisioner, Transition
from provisioner_operator.api.v1alpha1.names import BUILD_REASON_LABEL
from provisioner_operator.core.model.file_paths import NamedFiles, from_config_map
from provisioner_operator.core.workspaces.manifests import (
    build_job,
    drift_check_job,
    import_job,
    kept_files,
    kept_plan_job,
    plan_job,
)
from provisioner_operator.core.workspaces.records import ParameterValues, SourceFiles, Template, Version, Workspace
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace

GIT = {"url": "https://git.example.com/a.git", "ref": "main", "path": ".", "commit": "0" * 40}


def built(
    workspace: Workspace | None = None,
    template: Template | None = None,
    version: Version | None = None,
    *,
    transition: Transition = Transition.START,
    parameters: ParameterValues = (),
) -> Any:
    return build_job(
        workspace or a_workspace(),
        template or a_template(),
        version or a_version(),
        number=3,
        transition=transition,
        change="change",
        parameters=parameters,
    )


@pytest.mark.parametrize(
    ("version", "source"),
    [
        (a_version(), {"configMapRef": {"name": VERSION}}),
        (a_version(files=False, git=GIT), {"git": GIT}),
        (a_version(files=False), None),
    ],
)
def test_a_job_has_the_source_of_its_version(version: Version, source: dict[str, Any] | None) -> None:
    imported: Any = import_job(a_template(), version)

    assert built(version=version)["spec"].get("source") == source
    assert imported["spec"].get("source") == source


def test_a_build_keeps_its_state_where_its_version_says_and_an_import_nowhere() -> None:
    state = {"backend": "Template", "backendConfig": [{"name": "key", "value": "$(provisioner_workspace)"}]}
    kept, today = a_version(state=state), a_template(state=None)

    assert built(template=today, version=kept)["spec"]["state"] == state
    assert "state" not in built(template=a_template(state=state))["spec"]
    assert "state" not in str(import_job(a_template(state=state), kept))


def test_a_job_runs_the_program_of_its_version() -> None:
    version, today = a_version(provisioner=Provisioner.TERRAFORM), a_template(provisioner=Provisioner.ECHO)
    imported: Any = import_job(today, version)

    assert built(template=today, version=version)["spec"]["provisioner"] == "terraform"
    assert imported["spec"]["provisioner"] == "terraform"


def test_a_chosen_parameter_replaces_the_templates_variable_of_its_name() -> None:
    fixed = ({"name": "size", "value": "1"}, {"name": "region", "value": "eu"})

    spec = built(template=a_template(variables=fixed), parameters=(("size", "2"), ("zone", "b")))["spec"]

    assert spec["variables"] == [
        {"name": "size", "value": "2"},
        {"name": "region", "value": "eu"},
        {"name": "zone", "value": "b"},
    ]


def test_a_variable_that_the_template_has_lost_is_that_of_the_version() -> None:
    old = a_version(variables=({"name": "region", "value": "us"}, {"name": "size", "value": "1"}))
    today = a_template(variables=({"name": "size", "value": "2"},))

    spec = built(template=today, version=old)["spec"]

    assert spec["variables"] == [{"name": "region", "value": "us"}, {"name": "size", "value": "2"}]


def test_a_variable_that_a_secret_may_set_now_is_not_that_of_the_version() -> None:
    old = a_version(variables=({"name": "token", "value": "revoked"},))
    today = a_template(variables_from=({"secretRef": {"name": "cloud"}},))

    assert built(template=today, version=old)["spec"]["variables"] == []


def test_the_logins_for_modules_are_the_templates_of_today() -> None:
    logins = ({"host": "git.example.com", "secretRef": {"name": "git"}},)
    imported: Any = import_job(a_template(module_credentials=logins), a_version())

    assert built(template=a_template(module_credentials=logins))["spec"]["moduleCredentials"] == logins
    assert imported["spec"]["moduleCredentials"] == logins
    assert "moduleCredentials" not in built()["spec"], "definitions of an older release do not know the field"


def test_the_owner_and_the_initiator_are_named_where_they_are_known() -> None:
    named, nobody = a_workspace(owner="sam", initiator="ada"), a_workspace()

    assert built(named)["spec"]["workspaceRef"]["owner"] == "sam"
    assert built(named)["spec"]["initiator"] == "ada"
    assert "owner" not in built(nobody)["spec"]["workspaceRef"]
    assert "initiator" not in built(nobody)["spec"]
    assert "initiator" not in built(named, transition=Transition.DELETE)["spec"]


def test_the_limits_of_a_job_are_the_templates() -> None:
    template = a_template(priority=4, pending_timeout=1, active_deadline=2, job_retention=3)
    limits = {
        "priority": 4,
        "pendingTimeoutSeconds": 1,
        "activeDeadlineSeconds": 2,
        "ttlSecondsAfterFinished": 3,
    }
    imported: Any = import_job(template, a_version())

    assert built(template=template)["spec"].items() >= limits.items()
    assert imported["spec"].items() >= limits.items()
    assert "stallTimeoutSeconds" not in imported["spec"]
    assert built(template=replace(template, stall_timeout=60))["spec"]["stallTimeoutSeconds"] == 60


def test_the_terraform_of_a_job_is_the_templates() -> None:
    asked = {"terraformVersion": ">= 1.9, < 2", "parallelism": 3}
    template = a_template(terraform_version=">= 1.9, < 2", parallelism=3)
    imported: Any = import_job(template, a_version())

    assert built(template=template)["spec"].items() >= asked.items()
    assert imported["spec"].items() >= asked.items()
    assert not asked.keys() & built()["spec"].keys()


def test_an_import_belongs_to_its_template_and_version() -> None:
    job: Any = import_job(a_template(tags={"zone": "a"}), a_version())

    assert job["metadata"] == {
        "name": f"{VERSION}-import",
        "namespace": "acme",
        "labels": {"provisioner.dev/template": "template"},
    }
    assert job["spec"]["type"] == "TemplateImport"
    assert job["spec"]["tags"] == {"zone": "a"}
    assert job["spec"]["templateRef"] == {"name": "template", "uid": "uid-of-template", "version": VERSION}


def test_a_plan_is_as_the_build_that_it_shows_but_not_in_its_place() -> None:
    workspace, template = a_workspace(owner="sam", initiator="ada"), a_template(allow_user_cancel=True)
    build = built(workspace, template, parameters=(("size", "2"),))
    plan: Any = plan_job(
        "dev-plan-abcd",
        workspace,
        template,
        a_version(),
        number=3,
        transition=Transition.START,
        parameters=(("size", "2"),),
    )

    assert plan["metadata"] == {**build["metadata"], "name": "dev-plan-abcd"}
    assert {key for key in build["spec"] if build["spec"][key] != plan["spec"].get(key)} == {
        "type",
        "workspaceRef",
        "initiator",
        "ownerMayCancel",
    }
    assert plan["spec"]["type"] == "WorkspacePlan"
    assert plan["spec"]["workspaceRef"] == {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "owner": "sam"}
    assert plan["spec"].keys() < build["spec"].keys()


def test_kept_files_cannot_change_and_go_with_their_template() -> None:
    binary: Any = kept_files(a_template(), VERSION, SourceFiles({"a": "x"}, {"b": "eA=="}))
    text: Any = kept_files(a_template(), VERSION, SourceFiles({"a": "x"}))

    assert (binary["data"], binary["binaryData"], binary["immutable"]) == ({"a": "x"}, {"b": "eA=="}, True)
    assert "binaryData" not in text
    (owner,) = text["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("WorkspaceTemplate", "uid-of-template", True)


def test_kept_files_keep_their_folders() -> None:
    files = SourceFiles({"main.tf": "x", "path-0": "y", "modules/a/main.tf": "z"}, {"modules/a/b": "eA=="})
    body: Any = kept_files(a_template(), VERSION, files)
    assert body["data"] == {"main.tf": "x", "path-0": "y", "path-1": "z"}
    assert body["binaryData"] == {"path-0_": "eA=="}
    assert from_config_map(body) == NamedFiles(files.data, files.binary_data)
    assert "annotations" not in kept_files(a_template(), VERSION, SourceFiles({"a": "x"}))["metadata"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("running", "transition", "reason"),
    [
        (True, Transition.START, None),
        (True, Transition.STOP, "Autostop"),
        (False, Transition.STOP, None),
        (True, Transition.DELETE, None),
    ],
)
def test_the_stop_of_a_workspace_that_is_to_run_is_marked_as_nobodys_wish(
    running: bool,  # noqa: FBT001 - a parameter of pytest
    transition: Transition,
    reason: str | None,
) -> None:
    job = built(replace(a_workspace(), running=running), transition=transition)
    assert job["metadata"]["labels"].get(BUILD_REASON_LABEL) == reason


def test_what_a_change_asked_for_is_in_its_trace_and_a_check_for_drift_in_none() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    workspace, template, version = a_workspace(traceparent=parent), a_template(), a_version()
    common: Any = {"number": 3, "transition": Transition.START, "parameters": ()}
    kept: Any = kept_plan_job(workspace, template, version, change="change", **common)
    checked: Any = drift_check_job("dev-drift-abc", workspace, template, version, a_build().record)

    assert built(workspace)["metadata"]["annotations"] == {"provisioner.dev/traceparent": parent}
    assert kept["metadata"]["annotations"] == {"provisioner.dev/traceparent": parent}
    assert "annotations" not in built()["metadata"]
    assert "annotations" not in checked["metadata"]
