"""Real Terraform: a workspace is started, stopped and deleted; the API server stores its state, and nothing leaks its secrets."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner_devcluster import find_tofu
from support.cluster.shared_cluster import Cluster
from support.cluster.watching import WITHIN
from support.programs.cli import Cli
from support.programs.ledger import is_alive
from support.programs.programs import Program
from support.test_namespace import ProductNamespace

TOKEN = "correct-horse-battery-staple"
TEMPLATE = """
variable "provisioner_transition" {}
variable "region" { default = "eu" }
variable "token" { default = "" }
variable "pause" { default = "0" }
variable "marker" { default = "/dev/null" }

resource "terraform_data" "home" {
  input = var.region
}

resource "terraform_data" "machine" {
  count = var.provisioner_transition == "start" ? 1 : 0
  provisioner "local-exec" {
    command     = "echo the token is $TOKEN; echo applying > $MARKER; sleep $PAUSE"
    environment = { TOKEN = var.token, PAUSE = var.pause, MARKER = var.marker }
  }
}

output "region" { value = terraform_data.home.output }
output "greeting" { value = "the token is ${var.token}" }
output "machines" { value = terraform_data.machine[*].id == [] ? 0 : length(terraform_data.machine) }
"""


@pytest.fixture(scope="module")
def terraform(product: ProductNamespace) -> Iterator[Program]:
    """A daemon that runs Terraform."""
    options = {"provisioners": ("terraform",), "capacity": 4, "grace": 60, "tags": {"runs": "terraform"}}
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "cloud"}, "stringData": {"token": TOKEN}}
    product.admin.create(secret)
    with product.daemon("terraform", terraform=find_tofu(), **options) as program:
        yield program


def _build(product: ProductNamespace, name: str, workspace: str, transition: str, **variables: str) -> None:
    token = {"name": "token", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}}
    product.submit(
        name,
        provisioner="terraform",
        tags={"runs": "terraform"},
        workspaceRef={"name": workspace},
        transition=transition,
        source={"inline": {"files": {"main.tf": TEMPLATE}}},
        variables=[token, *({"name": key, "value": value} for key, value in variables.items())],
    )


def _start_and_await_apply(product: ProductNamespace, name: str, workspace: str) -> None:
    """Start the workspace with a run that stays within its apply, where it holds the state's lock."""
    marker = product.ledger.path.with_name(name)
    _build(product, name, workspace, "Start", pause="300", marker=str(marker))
    deadline = time.monotonic() + WITHIN
    while not marker.exists():
        assert time.monotonic() < deadline, f"{name} never began to apply"
        time.sleep(0.05)


def test_a_workspace_is_started_stopped_and_deleted(product: ProductNamespace, terraform: Program) -> None:
    _build(product, "dev-1", "dev", "Start", region="us")
    _build(product, "dev-2", "dev", "Stop", region="us")
    _build(product, "dev-3", "dev", "Delete", region="us")
    started = product.jobs.until("dev-1", "Completed")["status"]
    assert _outputs(started)["region"] == "us"
    assert _outputs(started)["machines"] == "1"
    assert _resources(started) == {"terraform_data.home": "create", "terraform_data.machine[0]": "create"}
    assert [each["stage"] for each in started["timings"]] == ["init", "plan", "apply"]
    assert all(each["startedAt"] <= each["finishedAt"] for each in started["timings"])

    stopped = product.jobs.until("dev-2", "Completed")["status"]
    assert _resources(stopped)["terraform_data.machine[0]"] == "delete"
    assert _outputs(stopped)["machines"] == "0"

    deleted = product.jobs.until("dev-3", "Completed")["status"]
    assert _resources(deleted) == {"terraform_data.home": "delete"}
    assert [each["stage"] for each in deleted["timings"]] == ["init", "plan", "destroy"]
    for kind, name in (("secret", "tfstate-default-dev-ws"), ("lease", "lock-tfstate-default-dev-ws")):
        assert not product.admin.attempt("get", kind, name).ok

    for name in ("dev-1", "dev-2", "dev-3"):
        job = product.admin.get("pj", name)
        archive = product.admin.get("configmap", job["status"]["log"]["configMap"])
        assert TOKEN not in json.dumps([job, archive])
        assert archive["data"]["log"]
    assert TOKEN not in terraform.log.read_text(encoding="utf-8")
    assert "the token is (secret)" in terraform.log.read_text(encoding="utf-8")
    assert "(secret)" in _outputs(started)["greeting"]


@pytest.mark.usefixtures("terraform")
def test_a_template_is_checked_without_leaving_a_state(product: ProductNamespace) -> None:
    source = {"inline": {"files": {"main.tf": TEMPLATE}}}
    checks: dict[str, Any] = {"transition": None, "workspaceRef": None, "provisioner": "terraform", "source": source}
    product.submit("import", type="TemplateImport", tags={"runs": "terraform"}, **checks)
    product.submit("dry-run", type="TemplateDryRun", tags={"runs": "terraform"}, **checks)
    product.jobs.until_all(["import", "dry-run"], phases=["Completed"])
    planned = product.jobs.latest()["dry-run"]["status"]
    assert _resources(planned) == {"terraform_data.home": "create", "terraform_data.machine[0]": "create"}
    secrets = product.admin.list_all("secrets")
    assert not [each for each in secrets if "import" in each["metadata"]["name"] or "dry" in each["metadata"]["name"]]


@pytest.mark.usefixtures("terraform")
def test_a_broken_template_fails_with_the_error_and_its_location(product: ProductNamespace) -> None:
    product.submit(
        "broken",
        provisioner="terraform",
        tags={"runs": "terraform"},
        source={"inline": {"files": {"main.tf": 'output "x" {\n  value = nothing.at.all\n}\n'}}},
    )
    job = product.jobs.until("broken", "Failed")
    assert job["status"]["reason"] == "RunFailed"
    assert "main.tf" in job["status"]["message"]


@pytest.mark.usefixtures("terraform")
def test_a_killed_run_leaves_no_lock(product: ProductNamespace) -> None:
    _start_and_await_apply(product, "killed-1", "killed")
    product.cancel("killed-1", cancelMode="Force")
    killed = product.jobs.until("killed-1", "Canceled")
    assert "may lack the last changes" in killed["status"]["message"]
    _build(product, "killed-2", "killed", "Start")
    product.jobs.until("killed-2", "Completed")


@pytest.mark.usefixtures("terraform")
def test_a_lock_that_is_taken_by_hand_is_reported_with_a_working_fix(
    cluster: Cluster, product: ProductNamespace
) -> None:
    _build(product, "locked-1", "locked", "Start")
    product.jobs.until("locked-1", "Completed")
    info = {"ID": "2e1b", "Who": "joe@laptop", "Created": "2026-01-01T00:00:00Z", "Operation": "OperationTypeApply"}
    lock = {
        "metadata": {"annotations": {"app.terraform.io/lock-info": json.dumps(info)}},
        "spec": {"holderIdentity": "2e1b"},
    }
    product.admin.patch("lease", "lock-tfstate-default-locked-ws", lock)
    _build(product, "locked-2", "locked", "Start")
    job = product.jobs.until("locked-2", "Failed")
    assert job["status"]["reason"] == "StateLocked"
    assert "is locked by joe@laptop since 2026-01-01T00:00:00Z" in job["status"]["message"]
    fix = f"kubectl provisioner workspaces unlock -n {product.namespace} locked"
    assert fix in job["status"]["message"]
    answer = Cli(cluster.kubeconfig, product.namespace).run("workspaces", "unlock", "locked")
    assert "unlocked; joe@laptop held the lock since 2026-01-01T00:00:00Z (OperationTypeApply)" in answer.out
    _build(product, "locked-3", "locked", "Start")
    product.jobs.until("locked-3", "Completed")


@pytest.mark.usefixtures("terraform")
def test_a_canceled_run_ends_normally_and_leaves_no_lock(product: ProductNamespace) -> None:
    _start_and_await_apply(product, "polite-1", "polite")
    product.cancel("polite-1")
    product.jobs.until("polite-1", "Canceled")
    _build(product, "polite-2", "polite", "Delete")
    product.jobs.until("polite-2", "Completed")


def test_the_daemon_has_not_restarted(terraform: Program) -> None:
    assert is_alive(terraform.pid)


def _outputs(status: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in status["outputs"]}


def _resources(status: dict[str, Any]) -> dict[str, str]:
    return {each["address"]: each["action"] for each in status["resources"]}
