"""Stages that the terraform provisioner plans for a job, before anything runs."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.core.daemons.run_environment import RunEnvironment
from provisioner_operator.core.jobs.planned_changes import NOTHING_DONE
from provisioner_operator.daemon.execution.guard import RUN_RECORD
from provisioner_operator.daemon.execution.provisioner import Task, UnpreparedError
from provisioner_operator.daemon.git.request import REQUEST
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.program import TerraformProgram
from provisioner_operator.daemon.terraform.provider_cache import ProviderStore
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import BACKEND_FILE, BACKEND_SETTINGS_FILE, ClusterAccess
from provisioner_operator.daemon.terraform.value_files import FILE
from provisioner_operator.kube import paths
from unit.daemon.builders import Objects, a_secret, a_task

LONGEST_DETAIL = 2000

URL = "https://git.example.com/templates.git"
COMMIT = "0123456789" * 4
GIT = {"git": {"url": URL, "path": "dev", "secretRef": {"name": "login"}}}
INLINE = {"inline": {"files": {"main.tf": "# main"}}}
IMPORT: dict[str, Any] = {"type": "TemplateImport", "transition": None, "workspaceRef": None}
PLAN: dict[str, Any] = {"type": "WorkspacePlan"}
DRY_RUN: dict[str, Any] = {"type": "TemplateDryRun", "transition": None, "workspaceRef": None}


def prepare(task: Task, directory: Path, **passed: str) -> TerraformProgram:
    return prepare_from({}, task, directory, **passed)


def prepare_from(stored: Mapping[str, Any], task: Task, directory: Path, **passed: str) -> TerraformProgram:
    objects = Objects({**stored, paths.secret("acme", "login"): a_secret(username="joe", password="hunter2")})
    # Any program will do: none is run here.
    access = ClusterAccess(Path("/etc/kubeconfig"))
    environment = RunEnvironment(passed, tuple(passed.values()))
    terraform = Terraform(objects, binaries=Binaries(Path(sys.executable)), access=access, passed=environment)
    return asyncio.run(terraform.prepare(task, directory))


def checked_out(directory: Path, **files: str) -> Path:
    """Make the folder of the checkout that GIT names, with these files."""
    folder = directory / "repository" / "dev"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def stages(program: TerraformProgram) -> list[tuple[str, str]]:
    return [(stage.name, stage.folder) for stage in program.stages]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, ["init", "plan", "apply"]),
        ({"transition": "Delete"}, ["init", "plan", "destroy"]),
        (IMPORT, ["init", "validate", "inspect"]),
        (DRY_RUN, ["init", "plan"]),
        (PLAN, ["init", "plan"]),
    ],
)
def test_files_from_git_are_fetched_first_and_the_rest_runs_in_their_folder(
    tmp_path: Path, spec: dict[str, Any], names: list[str]
) -> None:
    assert stages(prepare(a_task(source=INLINE, **spec), tmp_path)) == [(name, ".") for name in names]
    checked_out(tmp_path)
    fetched = prepare(a_task(source=GIT, **spec), tmp_path)
    assert stages(fetched) == [("fetch", "."), *((name, "repository/dev") for name in names)]


def test_plan_and_apply_work_on_as_many_resources_at_once_as_the_job_says(tmp_path: Path) -> None:
    asked = {
        stage.name: [each for each in stage.arguments if each.startswith("-parallelism")]
        for transition in ("Start", "Delete")
        for stage in prepare(a_task(source=INLINE, parallelism=3, transition=transition), tmp_path).stages
    }
    three = ["-parallelism=3"]
    assert asked == {"init": [], "plan": three, "apply": three, "destroy": three}
    assert not any("parallelism" in str(stage.arguments) for stage in prepare(a_task(source=INLINE), tmp_path).stages)


def test_a_job_whose_version_is_not_there_is_not_begun(tmp_path: Path) -> None:
    # A program that is no Terraform has no version that a job could ask for.
    with pytest.raises(UnpreparedError, match=r"terraformVersion `~> 1\.9\.0`") as raised:
        prepare(a_task(source=INLINE, terraformVersion="~> 1.9.0"), tmp_path)
    assert raised.value.failure.reason is EndReason.RUN_FAILED
    assert not list(tmp_path.iterdir())


def arguments(program: TerraformProgram) -> dict[str, tuple[str, ...]]:
    return {stage.name: stage.arguments[1:] for stage in program.stages}


def test_a_plan_reads_the_state_of_its_workspace_without_its_lock(tmp_path: Path) -> None:
    stored = {paths.secret("acme", "tfstate-default-dev-ws"): a_secret(tfstate="")}
    program = prepare_from(stored, a_task(source=INLINE, **PLAN), tmp_path)
    done = arguments(program)
    assert f"-backend-config={BACKEND_SETTINGS_FILE}" in done["init"]
    assert "-lock=false" in done["plan"]
    assert "-destroy" not in done["plan"]
    deleted = arguments(prepare_from(stored, a_task(source=INLINE, transition="Delete", **PLAN), tmp_path))
    assert {"-lock=false", "-destroy"} < set(deleted["plan"])
    assert "-lock=false" not in arguments(prepare_from(stored, a_task(source=INLINE), tmp_path))["plan"]


def test_a_plan_of_a_workspace_without_a_state_makes_none(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE, **PLAN), tmp_path)
    assert not any(each.startswith("-backend-config") for each in arguments(program)["init"])
    assert json.loads((tmp_path / BACKEND_FILE).read_text()) == {"terraform": {"backend": {"local": {}}}}
    assert program.end_stage("init", 0).failure is None


def test_a_plan_says_what_it_would_change_and_a_build_does_not(tmp_path: Path) -> None:
    summaries = []
    for spec in (PLAN, {}):
        program = prepare(a_task(source=INLINE, transition="Stop", **spec), tmp_path)
        for action in ("create", "delete", "read"):
            resource = {"addr": f"disk.{action}", "resource_type": "disk"}
            line = {"@message": "m", "type": "planned_change", "change": {"resource": resource, "action": action}}
            program.read("plan", "stdout", json.dumps(line))
        summaries.append(program.summary)
        planned = [each.address for each in program.resources]
        assert planned == (["disk.delete", "disk.create"] if spec else ["disk.create", "disk.delete", "disk.read"])
    assert summaries == [
        "A stop would change 2 resources (1 to destroy, 1 to create): destroy disk.delete, create disk.create. "
        + NOTHING_DONE,
        None,
    ]


def test_states_that_come_with_a_source_are_left_out_and_named(tmp_path: Path) -> None:
    leftovers = ["errored.tfstate", "terraform.tfstate", "terraform.tfstate.backup"]
    files = dict.fromkeys([*leftovers, ".terraform.lock.hcl", "main.tf"], "")
    program = prepare(a_task(source={"inline": {"files": files}}), tmp_path)
    assert not {path.name for path in tmp_path.iterdir()}.intersection(leftovers)
    assert (tmp_path / ".terraform.lock.hcl").exists()
    assert [notice.split(" is left out")[0] for notice in program.notices] == leftovers


def test_files_keep_their_folders_and_scripts_are_executable(tmp_path: Path) -> None:
    files = {"main.tf": "", "scripts/run.sh": "#!/bin/sh\necho ran", "modules/a/.terraform/x": ""}
    program = prepare(a_task(source={"inline": {"files": files}}), tmp_path)
    assert subprocess.run([tmp_path / "scripts/run.sh"], capture_output=True, check=True).stdout == b"ran\n"
    assert not os.access(tmp_path / "main.tf", os.X_OK)
    assert not (tmp_path / "modules").exists()
    assert [notice.split(" is left out")[0] for notice in program.notices] == ["modules/a/.terraform/x"]


def test_a_file_in_the_place_of_the_daemons_own_is_the_sources_fault(tmp_path: Path) -> None:
    with pytest.raises(UnpreparedError, match="files cannot be written"):
        prepare(a_task(source={"inline": {"files": {f"{BACKEND_FILE}/x": ""}}}), tmp_path)


def test_the_password_is_given_to_the_fetch_alone(tmp_path: Path) -> None:
    checked_out(tmp_path)
    program = prepare(a_task(source=GIT, variables=[{"name": "region", "value": "us"}]), tmp_path)
    fetch, *others = program.stages
    assert fetch.environment is not None
    assert json.loads(fetch.environment[REQUEST])["credentials"]["password"] == "hunter2"
    assert not any(name.startswith("TF_VAR_") for name in fetch.environment)
    assert all(stage.environment is None for stage in others)
    assert program.environment["TF_VAR_region"] == "us"
    assert "hunter2" not in str(program.environment)
    assert "hunter2" in program.secrets
    assert not any("hunter2" in argument for stage in program.stages for argument in stage.arguments)


def test_the_inspection_learns_no_value_of_a_variable(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE, variables=[{"name": "region", "value": "us"}], **IMPORT), tmp_path)
    environment = list(program.stages)[-1].environment
    assert environment is not None
    assert not any(name.startswith("TF_VAR_") for name in environment)


REGION = [{"name": "region", "value": "eu"}]
DECLARED = ('variable: {"name": "region"}', 'syntax: {"expressions": [], "ephemeral": [], "unread": []}')
SET_BY_FILE = {"inline": {"files": {"main.tf": "# main", "terraform.tfvars": 'region = "us"'}}}


@pytest.mark.parametrize("tool", ["terraform", "tofu"])
@pytest.mark.parametrize("source", [GIT, SET_BY_FILE])
def test_a_file_of_values_in_the_source_is_beneath_the_jobs_values(
    tmp_path: Path, source: dict[str, Any], tool: str
) -> None:
    program = prepare(a_task(source=source, variables=REGION), tmp_path)
    done: dict[str, tuple[str, ...]] = {}
    for stage in program.stages:
        done[stage.name] = stage.arguments
        if stage.name == "fetch":
            checked_out(tmp_path, **{"terraform.tfvars": 'region = "us"'})
        if stage.name == "plan":
            program.read("plan", "stdout", json.dumps({"@message": "m", "type": "version", tool: "1.9.0"}))
        if stage.name == "inspect":
            for line in DECLARED:
                program.read("inspect", "stdout", line)
            assert program.end_stage("inspect", 0).failure is None
    assert list(done)[-4:] == ["inspect", "init", "plan", "apply"]
    file = f"-var-file={tmp_path / FILE}"
    assert [file in done[name] for name in ("init", "plan", "apply")] == [True, True, tool == "tofu"]
    assert (program.variables, program.resources) == ((), ())


def test_an_expression_that_a_file_would_replace_fails_the_job(tmp_path: Path) -> None:
    program = prepare(a_task(source=SET_BY_FILE, variables=REGION), tmp_path)
    assert next(iter(program.stages)).name == "inspect"
    for line in (DECLARED[0], DECLARED[1].replace("[]", '["region"]', 1)):
        program.read("inspect", "stdout", line)
    failure = program.end_stage("inspect", 0).failure
    assert failure is not None
    assert failure.reason is EndReason.VARIABLE_UNAVAILABLE


def test_what_the_daemon_passes_on_reaches_terraform_and_neither_the_fetch_nor_the_inspection(tmp_path: Path) -> None:
    program = prepare(a_task(source=GIT, **IMPORT), tmp_path, AWS_TOKEN="hunter3", TF_CLI_CONFIG_FILE="/etc/its.tfrc")
    assert program.environment["AWS_TOKEN"] == "hunter3"
    assert program.environment["TF_CLI_CONFIG_FILE"] == "/etc/its.tfrc"
    assert "hunter3" in program.secrets
    own = {stage.name: stage.environment for stage in program.stages if stage.environment is not None}
    assert own.keys() == {"fetch", "inspect"}
    assert "hunter3" not in str(own)


def test_the_job_and_the_run_say_more_than_what_the_daemon_passes_on(tmp_path: Path) -> None:
    task = a_task(source=INLINE, variables=[{"name": "region", "value": "us"}])
    passed = {"TF_VAR_region": "eu", "TF_VAR_provisioner_owner": "eve", "TF_VAR_size": "3", "HOME": "/root"}
    environment = prepare(task, tmp_path, **passed).environment
    assert (environment["TF_VAR_region"], environment["TF_VAR_size"]) == ("us", "3")
    assert (environment["TF_VAR_provisioner_owner"], environment["HOME"]) == ("", str(tmp_path))


def test_where_the_state_belongs_is_written_once_the_files_are_there(tmp_path: Path) -> None:
    program = prepare(a_task(source=GIT), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [RUN_RECORD]
    folder = tmp_path / "repository" / "dev"
    folder.mkdir(parents=True)
    elsewhere = tmp_path / "repository" / "other.json"
    elsewhere.write_text("kept")
    (folder / BACKEND_FILE).symlink_to(elsewhere)
    program.read("fetch", "stdout", f"commit: {COMMIT}")
    assert program.end_stage("fetch", 0).failure is None
    assert program.commit == COMMIT
    assert json.loads((folder / BACKEND_SETTINGS_FILE).read_text())["secret_suffix"] == "dev-ws"
    assert elsewhere.read_text() == "kept"


def test_after_init_the_state_is_looked_for_where_terraform_runs(tmp_path: Path) -> None:
    program = prepare(a_task(source=GIT), tmp_path)
    folder = tmp_path / "repository" / "dev"
    (folder / ".terraform").mkdir(parents=True)
    failure = program.end_stage("init", 0).failure
    assert failure is not None
    assert "overrides the backend of its state" in failure.message
    backend = {"type": "kubernetes", "config": {"namespace": "acme", "secret_suffix": "dev-ws"}}
    (folder / ".terraform" / "terraform.tfstate").write_text(json.dumps({"backend": backend}))
    assert program.end_stage("init", 0).failure is None


def test_a_fetch_that_fails_is_the_sources_fault(tmp_path: Path) -> None:
    program = prepare(a_task(source=GIT), tmp_path)
    assert program.read("fetch", "stderr", "Ref main was not found") == ("Ref main was not found",)
    failure = program.end_stage("fetch", 1).failure
    assert failure is not None
    assert (failure.reason, failure.message) == (EndReason.SOURCE_UNAVAILABLE, "Ref main was not found")


def diagnostic(detail: str) -> str:
    found = {"severity": "error", "summary": "Failed to download module", "detail": detail}
    return json.dumps({"@message": "Error", "type": "diagnostic", "diagnostic": found})


def test_init_alone_is_tried_again_after_a_failure_that_may_pass_and_not_for_ever(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE), tmp_path)
    ends = []
    for _ in range(3):
        program.read("init", "stdout", diagnostic("bad response code: 503"))
        ends.append(program.end_stage("init", 1))
    assert [end.again_in for end in ends] == [5.0, 20.0, None]
    assert ends[0].lines == ("This failure may pass: trying again in 5 s.",)
    failure = ends[-1].failure
    assert failure is not None
    assert failure.message.endswith("bad response code: 503 It was tried 3 times.")


def test_init_is_not_tried_again_after_a_failure_that_needs_a_person(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE), tmp_path)
    program.read("init", "stdout", diagnostic("bad response code: 404"))
    end = program.end_stage("init", 1)
    assert end.again_in is None
    assert end.failure is not None
    assert "tried" not in end.failure.message


@pytest.mark.parametrize("stage", ["plan", "apply", "destroy", "validate"])
def test_nothing_after_init_is_tried_again(tmp_path: Path, stage: str) -> None:
    program = prepare(a_task(source=INLINE), tmp_path)
    program.read(stage, "stdout", diagnostic("bad response code: 503"))
    end = program.end_stage(stage, 1)
    assert end.again_in is None
    assert end.failure is not None


def test_the_second_try_does_not_repeat_the_errors_of_the_first(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE), tmp_path)
    program.read("init", "stdout", diagnostic("bad response code: 503"))
    program.end_stage("init", 1)
    program.read("init", "stdout", diagnostic("bad response code: 404"))
    failure = program.end_stage("init", 1).failure
    assert failure is not None
    assert "503" not in failure.message
    assert failure.message.endswith("404 It was tried 2 times.")


def test_no_part_of_a_secret_is_left_where_a_message_is_cut(tmp_path: Path) -> None:
    program = prepare(a_task(source=GIT), tmp_path)
    detail = "x" * (LONGEST_DETAIL - 4) + "hunter2"
    diagnostic = {"severity": "error", "summary": "no", "detail": detail}
    program.read("init", "stdout", json.dumps({"@message": "m", "type": "diagnostic", "diagnostic": diagnostic}))
    failure = program.end_stage("init", 1).failure
    assert failure is not None
    assert "hunt" not in failure.message


def test_runs_share_no_plugin_cache_of_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "/shared")
    program = prepare(a_task(source=INLINE), tmp_path, TF_PLUGIN_CACHE_DIR="/shared")
    assert "TF_PLUGIN_CACHE_DIR" not in program.environment
    assert all(stage.around is None for stage in program.stages)


def test_init_alone_takes_providers_from_the_daemons_store(tmp_path: Path) -> None:
    store = ProviderStore(tmp_path / "providers")
    terraform = Terraform(Objects(), binaries=Binaries(Path(sys.executable)), access=ClusterAccess(None), store=store)
    program = asyncio.run(terraform.prepare(a_task(source=INLINE), tmp_path))
    assert program.environment["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / ".provider-cache")
    init, *others = program.stages
    assert init.environment == {**program.environment, "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
    assert all(stage.around is None and stage.environment is None for stage in others)


OWN_BACKEND = {
    "backend": "Template",
    "backendConfig": [
        {"name": "key", "value": "$(region)/$(provisioner_workspace)"},
        {"name": "secret_key", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
    ],
}


@pytest.mark.parametrize("source", [INLINE, GIT])
def test_a_state_in_the_templates_backend_gets_its_settings_and_no_other_backend(
    tmp_path: Path, source: dict[str, Any]
) -> None:
    program = prepare(a_task(source=source, variables=REGION, state=OWN_BACKEND), tmp_path)
    module = tmp_path if source is INLINE else checked_out(tmp_path)
    if source is GIT:
        program.read("fetch", "stdout", f"commit: {COMMIT}")
        assert program.end_stage("fetch", 0).failure is None
    assert json.loads((module / BACKEND_SETTINGS_FILE).read_text()) == {"key": "eu/dev", "secret_key": "hunter2"}
    assert not (module / BACKEND_FILE).exists()
    assert f"-backend-config={BACKEND_SETTINGS_FILE}" in {each.name: each for each in program.stages}["init"].arguments
    assert "hunter2" in program.secrets
    failure = program.end_stage("init", 0).failure
    assert failure is not None
    assert "name no backend" in failure.message


def test_an_import_reads_no_setting_of_a_backend(tmp_path: Path) -> None:
    assert prepare(a_task(source=INLINE, **IMPORT), tmp_path).secrets == ()


def test_a_dry_run_keeps_no_state_wherever_the_template_keeps_its_own(tmp_path: Path) -> None:
    prepare(a_task(source=INLINE, variables=REGION, state=OWN_BACKEND, **DRY_RUN), tmp_path)
    assert "local" in (tmp_path / BACKEND_FILE).read_text()
    assert not (tmp_path / BACKEND_SETTINGS_FILE).exists()
