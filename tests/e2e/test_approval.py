"""Approval of builds in Pods: a plan that one daemon has made is applied by another, whose backend is its own Pod's."""

from e2e.product import WITHIN, Team, await_that
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.manifests import Manifest

WORKSPACES = "workspaces.provisioner.dev"
MAIN = """
resource "terraform_data" "disk" { input = "ssd" }
output "disk" { value = terraform_data.disk.output }
"""


def awaiting(team: Team, *, above: int = 0) -> Manifest:
    """Wait until a further plan of the workspace waits for approval, and return it."""

    def waits() -> bool:
        status = team.admin.get(WORKSPACES, "dev").get("status", {})
        ready = {each["reason"] for each in status.get("conditions", ()) if each["type"] == "Ready"}
        return ready == {"AwaitingApproval"} and status["plan"]["number"] > above

    await_that(waits, "a plan that waits for approval")
    plan: Manifest = team.admin.get(WORKSPACES, "dev")["status"]["plan"]
    return plan


def approve(team: Team, plan: Manifest) -> None:
    team.admin.patch(WORKSPACES, "dev", {"spec": {"approved": plan["digest"]}})


def test_an_approved_plan_is_applied_in_another_pod(team: Team) -> None:
    team.create_pool(replicas=2)
    source = {"inline": {"files": {"main.tf": MAIN}}}
    team.admin.create(a_template_manifest(provisioner="terraform", source=source))
    team.admin.create(a_workspace_manifest("dev", approval="Required"))
    plan = awaiting(team)
    planner = team.daemon_of(plan["job"])
    team.admin.patch("pd", planner, {"spec": {"cordoned": True}})

    approve(team, plan)
    team.admin.wait(WORKSPACES, "dev", "condition=Ready", seconds=int(WITHIN))
    status = team.admin.get(WORKSPACES, "dev")["status"]
    assert [(each["name"], each["value"]) for each in status["outputs"]] == [("disk", "ssd")]
    build = team.admin.get("pj", status["lastRun"]["job"])
    assert build["spec"]["planRef"] == {"job": plan["job"], "digest": plan["digest"]}
    assert build["status"]["assignment"]["daemon"] != planner

    team.admin.run("delete", WORKSPACES, "dev", "--wait=false")
    approve(team, awaiting(team, above=plan["number"]))
    team.admin.run("wait", f"{WORKSPACES}/dev", "--for=delete", f"--timeout={WITHIN:.0f}s")
