"""Checks for drift by a real Terraform: what is changed outside is found, nothing is applied, and a rebuild clears it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.workspaces.conftest import Team, a_team
from provisioner_devcluster import find_tofu
from provisioner_operator.api.v1alpha1.limits import LOWEST_PRIORITY
from provisioner_operator.core.workspaces.drift.schedule import slot_at
from support.builders.manifests import a_workspace_manifest
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest
from support.test_namespace import condition

MAIN = """
variable "disk" {}
variable "provisioner_build_number" {}
variable "provisioner_transition" {}

resource "terraform_data" "disk" {
  triggers_replace = fileexists(var.disk)
}
resource "terraform_data" "machine" {
  input = "${var.provisioner_build_number} ${var.provisioner_transition}"
}
"""
SOON_SECONDS = range(2, 8)
SHORTEST = 3600
"""So that a window has three minutes, however slow the machine is."""


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with a controller, a daemon that runs Terraform, and a template of a disk that is a file."""
    options = {"provisioners": ("terraform",), "capacity": 4, "grace": 10, "terraform": find_tofu()}
    with a_team(cluster, module_namespace) as team, team.product.operator(), team.product.daemon("worker", **options):
        source = {"inline": {"files": {"main.tf": MAIN}}}
        team.make_template(provisioner="terraform", source=source, parameters=[{"name": "disk"}])
        yield team


@pytest.fixture
def disk(team: Team, request: pytest.FixtureRequest) -> Path:
    """The file on which the workspace of the test depends."""
    path = team.product.ledger.path.with_name(f"disk-of-{request.node.name}")
    path.touch()
    return path


def make(team: Team, name: str, disk: Path) -> None:
    team.admin.create(a_workspace_manifest(name, parameters=[{"name": "disk", "value": str(disk)}]))
    team.until(name, "Running", build=1)


def check_soon(team: Team, name: str) -> None:
    """Choose the interval by which the workspace's next slot begins in a moment: nobody waits for an hour."""
    uid, now = team.admin.get("ws", name)["metadata"]["uid"], time.time()
    soon = (each for each in range(SHORTEST, 100 * SHORTEST) if int(slot_at(uid, each, now).end - now) in SOON_SECONDS)
    team.change(name, driftCheckSeconds=next(soon))


def until_checked(team: Team, name: str, status: str) -> Manifest:
    return team.workspaces.until_latest(name, lambda body: condition(body, "Drifted").get("status") == status)


def checks_of(team: Team, name: str) -> list[Manifest]:
    return [job for job in team.jobs_of(name) if job["spec"]["type"] == "WorkspacePlan"]


def states(team: Team) -> dict[str, str]:
    """Return the version of each Secret of a state, and of each lock."""
    found = [*team.admin.list_all("secrets"), *team.admin.list_all("leases")]
    return {
        each["metadata"]["name"]: each["metadata"]["resourceVersion"]
        for each in found
        if "tfstate" in each["metadata"]["name"]
    }


def test_what_is_changed_outside_is_found_and_a_rebuild_clears_it(team: Team, disk: Path) -> None:
    make(team, "dev", disk)
    check_soon(team, "dev")
    clean = until_checked(team, "dev", "False")
    assert (condition(clean, "Drifted")["reason"], clean["status"]["drift"].get("resources", [])) == ("NoDrift", [])
    stored = states(team)

    disk.unlink()
    check_soon(team, "dev")
    drifted = until_checked(team, "dev", "True")

    found = drifted["status"]["drift"]
    assert [(each["action"], each["address"]) for each in found["resources"]] == [("replace", "terraform_data.disk")]
    said = condition(drifted, "Drifted")
    assert (said["reason"], "replace terraform_data.disk" in said["message"]) == ("DriftDetected", True)
    assert condition(drifted, "Ready")["status"] == "True"
    job = team.admin.get("pj", found["job"])
    assert (job["spec"]["priority"], job["status"]["phase"]) == (LOWEST_PRIORITY, "Completed")
    assert [timing["stage"] for timing in job["status"]["timings"]] == ["init", "plan"]
    # Nothing was applied: neither a state nor a lock has changed, and there is no other build.
    assert states(team) == stored
    assert [each["metadata"]["name"] for each in team.jobs_of("dev") if each not in checks_of(team, "dev")] == ["dev-1"]

    team.change("dev", rebuildGeneration=1)
    rebuilt = team.until("dev", "Running", build=2)
    assert (condition(rebuilt, "Drifted")["reason"], "drift" in rebuilt["status"]) == ("NotChecked", False)
    check_soon(team, "dev")
    assert until_checked(team, "dev", "False")["status"]["drift"]["buildNumber"] == 2

    events = team.admin.list_all("events.events.k8s.io")
    reasons = {each["reason"] for each in events if each["regarding"]["name"] == "dev"}
    assert reasons == {"DriftDetected", "NoDrift"}


def test_a_stopped_workspace_is_checked_as_it_was_stopped_and_no_longer_once_that_is_off(
    team: Team, disk: Path
) -> None:
    make(team, "halted", disk)
    team.change("halted", running=False)
    team.until("halted", "Stopped", build=2)
    check_soon(team, "halted")

    until_checked(team, "halted", "False")

    (check,) = checks_of(team, "halted")
    assert (check["spec"]["transition"], check["spec"]["workspaceRef"]["buildNumber"]) == ("Stop", 2)
    team.admin.patch("ws", "halted", {"spec": {"driftCheckSeconds": None}})
    team.await_seen("halted")
    off = team.admin.get("ws", "halted")
    assert (condition(off, "Drifted"), "drift" in off["status"]) == ({}, False)
