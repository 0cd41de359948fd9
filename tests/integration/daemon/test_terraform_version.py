"""Jobs of one daemon that has several versions of Terraform."""

from pathlib import Path
from typing import Any

from integration.daemon.conftest import Office
from provisioner_devcluster import find_tofu

NEWER = """#!/bin/sh
echo "$*" >> '{ledger}'
[ "$1" = version ] && echo 'Terraform v9.9.1' && exit
exec '{program}' "$@"
"""
"""The real program, but for its version."""


def a_build(**spec: Any) -> dict[str, Any]:
    source = {"inline": {"files": {"main.tf": 'resource "terraform_data" "one" {}'}}}
    return {"transition": "Start", "workspaceRef": {"name": "dev"}, "source": source} | spec


def test_a_job_gets_the_version_that_it_asks_for_or_fails_at_once(office: Office, tmp_path: Path) -> None:
    ledger, directory = tmp_path / "calls", tmp_path / "versions"
    program = directory / "terraform_9.9.1"
    directory.mkdir()
    program.write_text(NEWER.format(ledger=ledger, program=find_tofu()))
    program.chmod(0o755)
    office.start_terraform("d1", "--terraform-directory", str(directory))
    assert f"Terraform 9.9.1 ({program})" in office.said()

    office.submit_spec("default", a_build())
    office.await_phase("default", "Completed")
    assert ledger.read_text().splitlines() == ["version"]

    office.submit_spec("newer", a_build(terraformVersion="~> 9.9", parallelism=3))
    office.await_phase("newer", "Completed")
    _, init, plan, apply = ledger.read_text().splitlines()
    assert init.startswith("init ")
    assert all("-parallelism=3" in call for call in (plan, apply))

    office.submit_spec("nowhere", a_build(terraformVersion="~> 0.11.0"))
    status = office.await_phase("nowhere", "Failed")
    assert status["reason"] == "RunFailed"
    assert status["message"].startswith("The job asks for terraformVersion `~> 0.11.0`, and its daemon has only ")
    assert "stage" not in status
