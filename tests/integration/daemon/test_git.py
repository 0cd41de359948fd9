"""Jobs whose files come from a real git server on loopback, and what a template's import and dry run report."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.conftest import Office, wait_until
from support.programs.git_repository import Folder, Repository
from support.programs.git_server import GitServer, hanging, serving

PASSWORD = "hunter2hunter2"
ENVIRONMENT = """
variable "region" {
  type    = string
  default = "us"
}
module "greeting" {
  source = "../../modules/greeting"
  region = var.region
}
output "greeting" { value = module.greeting.text }
"""
GREETING = """
variable "region" {}
resource "terraform_data" "greeting" { input = "WORD from ${var.region}" }
output "text" { value = terraform_data.greeting.output }
"""
TEMPLATE = """
variable "region" {
  type        = string
  description = "Where it runs"
}
variable "sizes" {
  type    = map(object({ cpu = number }))
  default = {}
}
variable "token" {
  sensitive = true
}
resource "terraform_data" "disk" { input = var.region }
resource "terraform_data" "machine" {
  for_each = var.sizes
  input    = var.token
}
"""


def a_repository(word: str) -> Folder:
    """A folder for an environment, which uses a module beside it."""
    return {
        "environments": {"dev": {"main.tf": ENVIRONMENT}},
        "modules": {"greeting": {"main.tf": GREETING.replace("WORD", word)}},
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(Repository(tmp_path / "served.git")) as server:
        server.credentials = ("joe", PASSWORD)
        yield server


@pytest.fixture
def tofu_office(office: Office) -> Office:
    office.kubectl.run(
        "create", "secret", "generic", "git-login", "--from-literal=username=joe", f"--from-literal=password={PASSWORD}"
    )
    office.start_terraform("d1")
    return office


def from_git(server: GitServer, **source: Any) -> dict[str, Any]:
    return {"git": {"url": server.url, "secretRef": {"name": "git-login"}, **source}}


def a_build(server: GitServer, **source: Any) -> dict[str, Any]:
    return {
        "transition": "Start",
        "workspaceRef": {"name": "dev"},
        "source": from_git(server, path="environments/dev", **source),
    }


def actions(status: dict[str, Any]) -> dict[str, str]:
    return {resource["address"]: resource["action"] for resource in status.get("resources", [])}


def stages(status: dict[str, Any]) -> list[str]:
    return [timing["stage"] for timing in status["timings"]]


def test_a_pinned_commit_is_run_though_the_branch_has_moved(tofu_office: Office, server: GitServer) -> None:
    first = server.repository.commit(a_repository("hello"))
    second = server.repository.commit(a_repository("goodbye"))
    tofu_office.submit_spec("one", a_build(server, commit=first))
    status = tofu_office.await_phase("one", "Completed")
    assert status["commit"] == first
    assert status["outputs"] == [{"name": "greeting", "value": "hello from us"}]
    assert stages(status) == ["fetch", "init", "plan", "apply"]

    tofu_office.submit_spec("two", a_build(server, ref="main"))
    status = tofu_office.await_phase("two", "Completed")
    assert status["commit"] == second
    # The state of the first was found again: it is the workspace's, and not the checkout's.
    assert actions(status) == {"module.greeting.terraform_data.greeting": "update"}
    assert f"fetch: commit: {second}" in tofu_office.log("two")
    assert PASSWORD not in tofu_office.log("two") + tofu_office.said() + str(status)
    assert not tofu_office.run_directories()


def test_a_source_that_cannot_be_had_says_why(tofu_office: Office, server: GitServer) -> None:
    server.repository.commit(a_repository("hello"))
    tofu_office.submit_spec("one", a_build(server, ref="mian"))
    status = tofu_office.await_phase("one", "Failed")
    assert status["reason"] == "SourceUnavailable"
    assert status["message"].startswith(f"Ref mian was not found in {server.url}")
    assert stages(status) == ["fetch"]
    server.credentials = ("joe", "another")
    tofu_office.submit_spec("two", a_build(server))
    status = tofu_office.await_phase("two", "Failed")
    assert status["reason"] == "SourceUnavailable"
    assert "refuses the credentials of Secret git-login" in status["message"]
    assert PASSWORD not in tofu_office.log("two") + tofu_office.said() + str(status)


def test_a_fetch_is_stopped_by_a_cancel(tofu_office: Office, server: GitServer) -> None:
    leave = threading.Event()
    server.answers_refs = hanging(leave)
    try:
        tofu_office.submit_spec("one", a_build(server))
        wait_until(lambda: bool(server.requests), "the fetch to ask the server")
        tofu_office.kubectl.patch("provisionerjob", "one", {"spec": {"cancel": True}})
        status = tofu_office.await_phase("one", "Canceled")
        assert status["stage"] == "fetch"
        wait_until(lambda: not tofu_office.processes(), "the end of the fetch")
    finally:
        leave.set()


def test_an_import_reports_what_the_template_declares(tofu_office: Office, server: GitServer) -> None:
    commit = server.repository.commit({"templates": {"vm": {"main.tf": TEMPLATE}}})
    source = from_git(server, path="templates/vm")
    tofu_office.submit_spec("one", {"type": "TemplateImport", "source": source})
    status = tofu_office.await_phase("one", "Completed")
    assert stages(status) == ["fetch", "init", "validate", "inspect"]
    assert status["commit"] == commit
    assert status["variables"] == [
        {"name": "region", "type": "string", "required": True, "sensitive": False, "description": "Where it runs"},
        {
            "name": "sizes",
            "type": "map(object({cpu = number}))",
            "required": False,
            "sensitive": False,
            "description": "",
        },
        {"name": "token", "type": "any", "required": True, "sensitive": True, "description": ""},
    ]
    assert status["resources"] == [
        {"address": "terraform_data.disk", "type": "terraform_data", "action": "declare"},
        {"address": "terraform_data.machine", "type": "terraform_data", "action": "declare"},
    ]


def test_an_import_of_an_invalid_template_fails_before_it_is_inspected(tofu_office: Office) -> None:
    files = {"main.tf": 'variable "region" {}\noutput "x" { value = var.missing }'}
    tofu_office.submit_spec("one", {"type": "TemplateImport", "source": {"inline": {"files": files}}})
    status = tofu_office.await_phase("one", "Failed")
    assert status["reason"] == "RunFailed"
    assert stages(status) == ["init", "validate"]


def test_a_dry_run_plans_with_the_values_that_it_is_given(tofu_office: Office) -> None:
    spec = {
        "type": "TemplateDryRun",
        "source": {"inline": {"files": {"main.tf": TEMPLATE}}},
        "variables": [
            {"name": "region", "value": "eu"},
            {"name": "sizes", "value": "{small={cpu=1}, large={cpu=8}}"},
            {"name": "token", "value": "x"},
        ],
    }
    tofu_office.submit_spec("one", spec)
    status = tofu_office.await_phase("one", "Completed")
    assert stages(status) == ["init", "plan"]
    assert actions(status) == {
        "terraform_data.disk": "create",
        'terraform_data.machine["large"]': "create",
        'terraform_data.machine["small"]': "create",
    }
