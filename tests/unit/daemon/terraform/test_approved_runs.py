"""Runs that keep their plan for approval, and runs that apply an approved one: their stages and files, before anything runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.terraform.failure import explain_failure
from provisioner_operator.daemon.terraform.kept_plan import LOCK_FILE, PLAN_FILE, KeptPlan
from provisioner_operator.daemon.terraform.output import Diagnostic
from provisioner_operator.daemon.terraform.state import BACKEND_SETTINGS_FILE
from provisioner_operator.kube import paths
from unit.daemon.builders import a_secret, a_task
from unit.daemon.terraform.test_provisioner import COMMIT, GIT, INLINE, checked_out, prepare, prepare_from

KEPT = KeptPlan(b"the plan", b"the locks")
STORED = {paths.secret("acme", "tfplan-dev-6-0"): a_secret(plan=KEPT.packed(), chunks="1", workspace="dev")}
APPLIES: dict[str, Any] = {"planRef": {"job": "dev-6", "digest": hashlib.sha256(KEPT.packed()).hexdigest()}}


def test_a_plan_for_approval_is_kept_once_it_is_made_and_knows_the_real_state(tmp_path: Path) -> None:
    program = prepare(a_task(source=INLINE, type="WorkspacePlan", keepPlan=True), tmp_path)

    stages = {stage.name: stage for stage in program.stages}

    assert list(stages) == ["init", "plan"]
    assert stages["init"].after is None
    assert stages["plan"].after is not None
    assert "-lock=false" in stages["plan"].arguments
    assert json.loads((tmp_path / BACKEND_SETTINGS_FILE).read_text())["secret_suffix"] == "dev-ws"
    assert program.plan_digest is None
    assert not any(stage.after for stage in prepare(a_task(source=INLINE), tmp_path).stages)


@pytest.mark.parametrize(("transition", "name"), [("Start", "apply"), ("Stop", "apply"), ("Delete", "destroy")])
def test_an_approved_plan_is_applied_without_another_one(tmp_path: Path, transition: str, name: str) -> None:
    program = prepare_from(STORED, a_task(source=INLINE, transition=transition, **APPLIES), tmp_path)

    first, last = program.stages

    assert (first.name, last.name, last.arguments[1], last.arguments[-1]) == ("init", name, "apply", PLAN_FILE)
    assert (tmp_path / PLAN_FILE).read_bytes() == b"the plan"
    assert (tmp_path / LOCK_FILE).read_bytes() == b"the locks"


def test_an_approved_plan_is_written_over_what_git_has_in_its_place(tmp_path: Path) -> None:
    program = prepare_from(STORED, a_task(source=GIT, **APPLIES), tmp_path)
    module = checked_out(tmp_path, **{LOCK_FILE: "of the source", PLAN_FILE: "of the source"})

    program.read("fetch", "stdout", f"commit: {COMMIT}")
    assert program.end_stage("fetch", 0).failure is None

    assert [(module / name).read_bytes() for name in (PLAN_FILE, LOCK_FILE)] == [b"the plan", b"the locks"]
    assert [stage.name for stage in program.stages] == ["fetch", "init", "apply"]


@pytest.mark.parametrize(("program", "given"), [("tofu", False), ("terraform", True)])
def test_opentofu_gets_no_values_beside_those_of_the_plan(tmp_path: Path, program: str, *, given: bool) -> None:
    variables = [{"name": "region", "value": "us"}]
    run = prepare_from(STORED, a_task(source=INLINE, variables=variables, **APPLIES), tmp_path)
    stages = iter(run.stages)
    assert next(stages).environment is None
    run.read("init", "stdout", json.dumps({"@message": "1.12", "type": "version", program: "1.12"}))

    environment = next(stages).environment

    assert environment is not None
    assert ("TF_VAR_region" in environment) is given
    assert environment["HOME"] == str(tmp_path)


def test_the_backend_of_a_plan_is_one_that_any_daemon_can_reach(tmp_path: Path) -> None:
    prepare_from(STORED, a_task(source=INLINE, **APPLIES), tmp_path)

    named = Path(json.loads((tmp_path / BACKEND_SETTINGS_FILE).read_text())["config_path"])
    assert named.parts[0] == "~"
    assert (tmp_path / named.relative_to("~")).readlink() == Path("/etc/kubeconfig")

    prepare(a_task(source=INLINE), tmp_path)
    assert json.loads((tmp_path / BACKEND_SETTINGS_FILE).read_text())["config_path"] == "/etc/kubeconfig"


def test_a_run_whose_plan_is_gone_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(UnpreparedError, match="its Secrets do not exist any more") as raised:
        prepare(a_task(source=INLINE, **APPLIES), tmp_path)
    assert raised.value.failure.reason is EndReason.PLAN_UNAVAILABLE
    assert not list(tmp_path.iterdir())


def test_terraforms_word_for_a_stale_plan_is_a_reason_of_its_own() -> None:
    error = Diagnostic("error", "Saved plan is stale", "The given plan file can no longer be applied.")

    failure = explain_failure("apply", 1, [error], namespace="acme", workspace="dev")

    assert failure.reason is EndReason.PLAN_STALE
    assert failure.message.startswith("The plan was not applied: ")
