"""Plans of workspaces by a real Terraform: what they list, and that nothing waits for them and nothing changes."""

import time
from collections.abc import Callable, Iterator

import pytest

from integration.workspaces.conftest import Team, a_team
from provisioner_devcluster import find_tofu
from support.builders.manifests import a_workspace_manifest
from support.cluster.shared_cluster import Cluster
from support.cluster.watching import WITHIN
from support.manifests import Manifest
from support.programs.cli import Cli

MAIN = """
variable "region" {}
variable "secret" { default = "correct-horse-battery" }
variable "pause" { default = "" }
variable "provisioner_build_number" {}

resource "terraform_data" "disk" {
  triggers_replace = var.region
  input            = var.secret
}
resource "terraform_data" "machine" {
  count = var.region == "eu" ? 1 : 0
}
resource "terraform_data" "slow" {
  count = var.pause == "" ? 0 : 1
  provisioner "local-exec" { command = "touch ${var.pause}; while [ -e ${var.pause} ]; do sleep 0.1; done" }
}
"""
PARAMETERS: list[Manifest] = [
    {"name": "region", "default": "eu", "mutable": True},
    {"name": "pause", "default": "", "mutable": True},
]


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon that runs Terraform, and a template of a disk and a machine."""
    options = {"provisioners": ("terraform",), "capacity": 4, "grace": 10, "terraform": find_tofu()}
    with a_team(cluster, module_namespace) as team, team.product.operator(), team.product.daemon("worker", **options):
        source = {"inline": {"files": {"main.tf": MAIN}}}
        team.make_template(provisioner="terraform", source=source, parameters=PARAMETERS)
        yield team


@pytest.fixture
def plan(cluster: Cluster, team: Team) -> Callable[..., list[str]]:
    """`workspaces plan`, typed by the owner of the workspaces, which returns the lines of its answer."""
    submitter = Cli(cluster.kubeconfig_for("submitter"), team.product.namespace)

    def run(*arguments: str) -> list[str]:
        answer = submitter.attempt("workspaces", "plan", *arguments)
        assert answer.code == 0, answer
        return answer.lines

    return run


def make(team: Team, name: str, **spec: object) -> None:
    team.admin.create(a_workspace_manifest(name, owner="submitter", **spec))


def states(team: Team) -> dict[str, str]:
    """Return the version of each Secret of a state, and of each lock."""
    found = [*team.admin.list_all("secrets"), *team.admin.list_all("leases")]
    return {
        each["metadata"]["name"]: each["metadata"]["resourceVersion"]
        for each in found
        if "tfstate" in each["metadata"]["name"]
    }


def test_a_plan_lists_what_a_change_would_do_and_changes_nothing(team: Team, plan: Callable[..., list[str]]) -> None:
    make(team, "built")
    before = team.until("built", "Running", build=1)
    stored = states(team)

    words, *listed = plan("built", "--set", "region=us")
    assert "A start would change 2 resources (1 to destroy, 1 to replace): " in words
    assert words.endswith("Nothing was changed.")
    assert listed == ["  delete   terraform_data.machine[0]", "  replace  terraform_data.disk"]
    same = plan("built")
    assert [line.split(": ", 1)[1] for line in same] == ["A start would change no resource. Nothing was changed."]
    assert plan("built", "--transition", "delete")[1:] == [
        "  delete   terraform_data.disk",
        "  delete   terraform_data.machine[0]",
    ]

    assert states(team) == stored
    after = team.admin.get("ws", "built")
    assert after["status"] == before["status"]
    team.change("built", rebuildGeneration=1)
    team.until("built", "Running", build=2)
    for job in team.jobs_of("built"):
        archive = team.admin.get("configmap", job["status"]["log"]["configMap"])
        assert "correct-horse-battery" not in str([archive, job["status"]])


def test_a_workspace_without_a_state_gets_none_by_a_plan(team: Team, plan: Callable[..., list[str]]) -> None:
    make(team, "fresh", running=False)
    team.until("fresh", "Stopped")
    _, *listed = plan("fresh", "--transition", "start")
    assert listed == ["  create   terraform_data.disk", "  create   terraform_data.machine[0]"]
    assert not [name for name in states(team) if "fresh" in name]


def test_a_plan_needs_no_lock_while_a_build_has_it(team: Team, cluster: Cluster) -> None:
    marker = team.product.ledger.path.with_name("paused")
    make(team, "locked", parameters=[{"name": "pause", "value": str(marker)}])
    deadline = time.monotonic() + WITHIN
    while not marker.exists():
        assert time.monotonic() < deadline, "the build never began to apply"
        time.sleep(0.05)
    refused = Cli(cluster.kubeconfig_for("submitter"), team.product.namespace).attempt("workspaces", "plan", "locked")
    assert (refused.code, "being built (job locked-1)" in refused.err) == (5, True)
    # As somebody who does not wait would submit it.
    (build,) = team.jobs_of("locked")
    spec = {key: build["spec"][key] for key in ("provisioner", "transition", "source", "variables", "templateRef")}
    reference = {"name": "locked", "owner": "submitter"}
    manifest = {**build, "metadata": {"name": "locked-plan"}}
    del manifest["status"]
    team.admin.create({**manifest, "spec": spec | {"type": "WorkspacePlan", "workspaceRef": reference}})

    done = team.product.jobs.until("locked-plan", "Completed")
    assert "A start would change" in done["status"]["message"]
    assert team.admin.get("pj", "locked-1")["status"]["phase"] == "Running"
    marker.unlink()
    team.until("locked", "Running", build=1)


def test_only_the_owner_of_a_workspace_plans_it(team: Team) -> None:
    make(team, "foreign", running=False)
    team.until("foreign", "Stopped")
    job = {"type": "WorkspacePlan", "workspaceRef": {"name": "foreign", "owner": "somebody"}}
    team.product.submit("spying", **job)
    assert team.product.jobs.until("spying", "Failed")["status"]["reason"] == "NotWorkspaceOwner"
