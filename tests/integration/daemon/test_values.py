"""Values of a job against those that files of its source set, with a real Terraform or OpenTofu."""

import json
from typing import Any

import pytest

from integration.daemon.conftest import Office

TEMPLATE = """
variable "region" { type = string }
variable "bare" {}
variable "count_of" { type = number }
variable "sizes" { type = list(number) }
variable "labels" { type = map(string) }
variable "anything" { type = any }
variable "token" { sensitive = true }
variable "kept" { type = string }
variable "provisioner_owner" { type = string }
resource "terraform_data" "shown" { input = var.region }
resource "terraform_data" "secret" {
  provisioner "local-exec" { command = "echo token ${nonsensitive(var.token)}" }
}
output "all" {
  value = [
    terraform_data.shown.output, var.bare, var.count_of, var.sizes, var.labels, var.anything, var.kept, var.provisioner_owner
  ]
}
"""
FILES = {
    "terraform.tfvars": 'region = "us"\nsizes = [9]\nkept = "file"\nprovisioner_owner = "mallory"\nundeclared = 1\n',
    "x.auto.tfvars": 'bare = "file"\ncount_of = 9\nlabels = {\n  a = "file"\n}\ntoken = "file"\n',
    "y.auto.tfvars.json": '{"anything": "file", "region": "json"}',
}
VALUES = {
    "region": 'eu "1"',
    "bare": "[1]",
    "count_of": "3",
    "sizes": "[1, 2]",
    "labels": '{\n  a = "job" # noted\n  "b" : "${"\n}'.replace('"${"', '"$${x}"'),
    "anything": '{"deep": [true, null]}',
}
EXPECTED = ['eu "1"', "[1]", 3, [1, 2], {"a": "job", "b": "${x}"}, {"deep": [True, None]}, "file", "joe"]
TOKEN = "hunter2hunter2"


@pytest.fixture
def tofu_office(office: Office) -> Office:
    office.kubectl.run("create", "secret", "generic", "cloud", f"--from-literal=token={TOKEN}")
    office.start_terraform("d1")
    return office


def a_build(transition: str) -> dict[str, Any]:
    return {
        "transition": transition,
        "workspaceRef": {"name": "dev", "owner": "joe"},
        "source": {"inline": {"files": {"main.tf": TEMPLATE} | FILES}},
        "variables": [
            *({"name": name, "value": value} for name, value in VALUES.items()),
            {"name": "token", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}},
        ],
    }


def test_the_jobs_values_count_whatever_files_of_its_source_set(tofu_office: Office) -> None:
    tofu_office.submit_spec("one", a_build("Start"))
    status = tofu_office.await_phase("one", "Completed")
    assert [json.loads(output["value"]) for output in status["outputs"]] == [EXPECTED]
    assert [timing["stage"] for timing in status["timings"]] == ["inspect", "init", "plan", "apply"]
    log = tofu_office.log("one")
    assert "the job's values count" in log
    assert "token (secret)" in log
    assert TOKEN not in log + tofu_office.said()
    # The destroy is planned from the same values.
    tofu_office.submit_spec("two", a_build("Delete"))
    assert tofu_office.await_phase("two", "Completed")["stage"] == "destroy"


def test_a_dry_run_plans_with_the_jobs_values(tofu_office: Office) -> None:
    spec = a_build("Start") | {"type": "TemplateDryRun", "transition": None, "workspaceRef": None}
    spec = {name: value for name, value in spec.items() if value is not None}
    tofu_office.submit_spec("one", spec)
    assert tofu_office.await_phase("one", "Completed")["stage"] == "plan"
