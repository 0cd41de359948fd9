"""A corrected template reaches the workspaces that need it; `jobs retry` repeats a build through its workspace."""

from integration.workspaces.conftest import Team, reason_is
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest
from support.programs.cli import Cli
from support.test_namespace import condition


def _source(text: str) -> Manifest:
    return {"inline": {"files": {"main.tf": text}}}


def _correct(team: Team, template: str, old: str) -> str:
    """Change the template's source, and return the version that becomes active."""
    team.admin.patch("wst", template, {"spec": {"source": _source("# corrected")}})
    body = team.templates.until(template, lambda body: body["status"].get("activeVersion") not in {None, old})
    version: str = body["status"]["activeVersion"]
    return version


def test_a_first_build_that_failed_is_rebuilt_with_the_corrected_template(team: Team) -> None:
    old = team.make_template("wrong", source=_source("# 1"))
    team.make("first", templateRef={"name": "wrong"}, fail="No quota.")
    team.workspaces.until("first", reason_is("BuildFailed"))
    notes = [event["note"] for event in team.admin.json("get", "events.events.k8s.io")["items"] if _is_about(event)]
    assert any("No quota." in note for note in notes)

    new = _correct(team, "wrong", old)
    body = team.workspaces.until("first", lambda body: condition(body, "Outdated").get("status") == "True")
    assert f"to build it again with version {new}" in condition(body, "Ready")["message"]
    header, row = team.admin.run("get", "ws", "first").stdout.splitlines()
    assert "OUTDATED" in header.split()
    assert row.split()[-2] == "True"

    team.change("first", rebuildGeneration=1, parameters=[])
    body = team.until("first", "Running", build=2)
    assert body["status"]["version"] == new
    assert condition(body, "Outdated")["status"] == "False"


def _is_about(event: Manifest) -> bool:
    return bool(event["regarding"]["name"] == "first" and event["reason"] == "BuildFailed")


def test_a_build_is_retried_by_its_workspace_and_moved_by_update(team: Team, cluster: Cluster) -> None:
    cli = Cli(cluster.kubeconfig, team.product.namespace)
    old = team.make_template("aging", source=_source("# 1"))
    team.make("lived-in", templateRef={"name": "aging"})
    team.until("lived-in", "Running", build=1)
    new = _correct(team, "aging", old)
    team.workspaces.until("lived-in", lambda body: condition(body, "Outdated").get("status") == "True")

    answer = cli.run("jobs", "retry", "lived-in-1")
    assert f"the active version of template aging is {new}" in answer.out
    assert team.until("lived-in", "Running", build=2)["status"]["version"] == old
    assert cli.attempt("jobs", "retry", "lived-in-1").code == 5
    assert f"moves from {old} to {new}" in cli.run("workspaces", "update", "lived-in").out
    assert team.until("lived-in", "Running", build=3)["status"]["version"] == new
    assert "already" in cli.run("workspaces", "update", "lived-in").out

    cli.run("workspaces", "stop", "lived-in")
    team.until("lived-in", "Stopped", build=4)
    refused = cli.attempt("jobs", "retry", "lived-in-3")
    assert (refused.code, "not the latest build" in refused.err) == (5, True)
    cli.run("workspaces", "start", "lived-in")
    team.until("lived-in", "Running", build=5)
    cli.run("workspaces", "rebuild", "lived-in")
    team.until("lived-in", "Running", build=6)
    assert team.transitions("lived-in") == ["Start", "Start", "Start", "Stop", "Start", "Start"]
    assert "lived-in-6: Start" in cli.run("workspaces", "show", "lived-in").out


def test_a_template_is_imported_again(team: Team, cluster: Cluster) -> None:
    cli = Cli(cluster.kubeconfig, team.product.namespace)
    old = team.make_template("again", source=_source("# 1"))
    cli.run("jobs", "retry", f"{old}-import")
    team.templates.until("again", lambda body: body["status"].get("activeVersion") not in {None, old})
    cli.run("templates", "import", "again", "--dry-run")
    assert old in cli.run("templates", "show", "again").out
