"""Builds that wait for the approval of their plan, by a real Terraform: what is approved is applied, and nothing else is."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from integration.workspaces.conftest import Team, a_team, reason_is
from provisioner_devcluster import find_tofu
from support.builders.manifests import a_workspace_manifest
from support.cluster.kubectl import Kubectl, patch_arguments
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest
from support.programs.cli import Cli
from support.test_namespace import condition

MAIN = """
variable "region" {}
variable "size" { default = "1" }
variable "secret" { default = "correct-horse-battery" }
variable "provisioner_build_number" {}

resource "terraform_data" "disk" {
  triggers_replace = var.region
  input            = "${var.size} ${var.secret}"
}
output "size" { value = var.size }
output "region" { value = var.region }
output "planned_as" { value = var.provisioner_build_number }
"""
PARAMETERS: list[Manifest] = [{"name": "region", "default": "eu", "mutable": True}]


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, two daemons that run Terraform, and a template of a disk."""
    options: dict[str, Any] = {"provisioners": ("terraform",), "capacity": 2, "grace": 10, "terraform": find_tofu()}
    with (
        a_team(cluster, module_namespace) as team,
        team.product.operator(),
        team.product.daemon("worker", **options),
        team.product.daemon("another", **options),
    ):
        source = {"inline": {"files": {"main.tf": MAIN}}}
        team.make_template(provisioner="terraform", source=source, parameters=PARAMETERS)
        yield team


def make(team: Team, name: str, **spec: object) -> None:
    team.admin.create(a_workspace_manifest(name, owner="submitter", approval="Required", **spec))


def until_waiting(team: Team, name: str, *, plan: int) -> Manifest:
    """Wait until this plan of the workspace waits for approval, and return the workspace."""

    def waits(body: Manifest) -> bool:
        status = body["status"]
        return reason_is("AwaitingApproval")(body) and status["plan"]["number"] == plan and not is_old(body)

    return team.workspaces.until_latest(name, waits)


def is_old(body: Manifest) -> bool:
    return bool(body["status"].get("observedGeneration") != body["metadata"]["generation"])


def outputs(body: Manifest) -> dict[str, str]:
    return {each["name"]: each["value"] for each in body["status"]["outputs"]}


def approve(team: Team, waiting: Manifest) -> None:
    team.change(waiting["metadata"]["name"], approved=waiting["status"]["plan"]["digest"])


def test_a_build_applies_exactly_the_plan_that_was_approved(team: Team) -> None:
    make(team, "exact")
    waiting = until_waiting(team, "exact", plan=1)

    plan = waiting["status"]["plan"]
    assert "A start would change 1 resource (1 to create): create terraform_data.disk." in plan["message"]
    message = condition(waiting, "Ready")["message"]
    assert f"workspaces approve -n {team.product.namespace} exact" in message
    assert condition(waiting, "Reconciling")["status"] == "True"
    assert [job["spec"]["type"] for job in team.jobs_of("exact")] == ["WorkspacePlan"]
    # Whatever the template has become: its variables reach builds without a new version.
    variables = [{"name": "size", "value": "7"}]
    team.admin.patch("wst", "template", {"spec": {"variables": variables}})
    approve(team, waiting)
    built = team.until("exact", "Running", build=2)

    assert outputs(built) == {"size": "1", "region": "eu", "planned_as": "1"}
    plan_job, build_job = team.jobs_of("exact")
    assert build_job["spec"]["planRef"] == {"job": "exact-1", "digest": plan["digest"]}
    assert {each["name"]: each.get("value") for each in build_job["spec"]["variables"]}["size"] == "7"
    assert "plan" not in [each["stage"] for each in build_job["status"]["timings"]]
    for job in (plan_job, build_job):
        archive = team.admin.get("configmap", job["status"]["log"]["configMap"])
        assert "correct-horse-battery" not in str([archive, job["status"]])
    team.admin.patch("wst", "template", {"spec": {"variables": []}})


def test_a_change_makes_the_plan_and_its_approval_worthless(team: Team) -> None:
    make(team, "changed")
    first = until_waiting(team, "changed", plan=1)

    team.change(
        "changed",
        approved=first["status"]["plan"]["digest"],
        parameters=[{"name": "region", "value": "us"}],
    )
    second = until_waiting(team, "changed", plan=2)
    assert second["status"]["plan"]["digest"] != first["status"]["plan"]["digest"]
    approve(team, second)
    assert outputs(team.until("changed", "Running", build=3))["region"] == "us"


def test_a_stale_plan_is_not_applied_and_the_build_is_planned_again(team: Team) -> None:
    make(team, "stale")
    approve(team, until_waiting(team, "stale", plan=1))
    team.until("stale", "Running", build=2)
    team.change("stale", parameters=[{"name": "region", "value": "us"}])
    waiting = until_waiting(team, "stale", plan=3)
    # As somebody does who changes the state by hand: `state rm`, an import, a restore.
    secret = team.admin.get("secret", "tfstate-default-stale-ws")
    raise_serial(team.admin, secret)

    approve(team, waiting)
    again = until_waiting(team, "stale", plan=5)

    stale = team.jobs_of("stale")[3]
    assert (stale["status"]["phase"], stale["status"]["reason"]) == ("Failed", "PlanStale")
    assert "was not applied (PlanStale, job stale-4)" in condition(again, "Ready")["message"]
    approve(team, again)
    assert outputs(team.until("stale", "Running", build=6))["region"] == "us"


def raise_serial(admin: Kubectl, secret: Manifest) -> None:
    """Write the state of this Secret again, with the next serial."""
    state = json.loads(gzip.decompress(base64.b64decode(secret["data"]["tfstate"])))
    state["serial"] += 1
    packed = base64.b64encode(gzip.compress(json.dumps(state).encode())).decode()
    admin.patch("secret", secret["metadata"]["name"], {"data": {"tfstate": packed}})


def test_a_deletion_waits_for_approval_too(team: Team) -> None:
    make(team, "ending")
    approve(team, until_waiting(team, "ending", plan=1))
    team.until("ending", "Running", build=2)

    team.admin.run("delete", "ws", "ending", "--wait=false")
    waiting = until_waiting(team, "ending", plan=3)
    assert "A delete would change 1 resource (1 to destroy)" in waiting["status"]["plan"]["message"]
    approve(team, waiting)
    team.workspaces.until_gone("ending")
    assert team.jobs_of("ending")[-1]["status"]["phase"] == "Completed"


def test_a_plan_that_nobody_approves_is_given_up(team: Team) -> None:
    make(team, "ignored", approvalTimeoutSeconds=1)
    body = team.workspaces.until_latest("ignored", reason_is("ApprovalExpired"))
    assert condition(body, "Stalled")["status"] == "True"

    approve(team, body)
    team.change("ignored", approvalTimeoutSeconds=600, rebuildGeneration=1)
    again = until_waiting(team, "ignored", plan=2)
    assert again["status"]["plan"]["digest"] != body["status"]["plan"]["digest"]


def test_no_job_gets_around_the_approval(team: Team) -> None:
    make(team, "guarded")
    until_waiting(team, "guarded", plan=1)
    plan_job = team.admin.get("pj", "guarded-1")
    inputs = {key: plan_job["spec"][key] for key in ("provisioner", "transition", "source", "variables", "templateRef")}

    for name, reference in (
        ("by-its-owner", {"name": "guarded", "owner": "submitter"}),
        ("in-the-controllers-place", {"name": "guarded", "uid": plan_job["spec"]["workspaceRef"]["uid"]}),
    ):
        team.product.submit(name, **inputs, workspaceRef=reference)
        assert team.product.jobs.until(name, "Failed")["status"]["reason"] == "ApprovalRequired"


def test_who_lacks_the_verb_approve_cannot_approve(team: Team, cluster: Cluster) -> None:
    make(team, "mine")
    digest = until_waiting(team, "mine", plan=1)["status"]["plan"]["digest"]
    owner = Kubectl(cluster.kubeconfig_for("submitter"), team.product.namespace)

    for spec in ({"approved": digest}, {"approval": "Automatic"}, {"deletionPolicy": "Orphan"}):
        assert 'the verb "approve"' in owner.refusal("patch", "ws", "mine", *patch_arguments({"spec": spec}))
    refused = Cli(cluster.kubeconfig_for("submitter"), team.product.namespace).attempt(
        "workspaces", "approve", "mine", "--yes"
    )
    assert refused.code != 0
    admin = Cli(cluster.kubeconfig, team.product.namespace)
    unconfirmed = admin.attempt("workspaces", "approve", "mine")
    assert (unconfirmed.code, "add --yes to approve this plan" in unconfirmed.err) == (2, True)
    another = admin.attempt("workspaces", "approve", "mine", "--yes", "--digest", "0" * 64)
    assert (another.code, "The plan that waits is another" in another.err) == (5, True)
    approved = admin.attempt("workspaces", "approve", "mine", "--yes", "--digest", digest)
    assert approved.code == 0, approved
    assert approved.lines[1:] == ["  create   terraform_data.disk", "mine: approved; its build follows"]
    team.until("mine", "Running", build=2)
