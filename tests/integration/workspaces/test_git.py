"""Templates with a git source: each version is pinned to the imported commit, even when the branch moves."""

from pathlib import Path

from integration.workspaces.conftest import Team, is_ready, reason_is
from support.programs.git_repository import Folder, Repository
from support.programs.git_server import serving
from support.test_namespace import condition

PARAMETERS = [{"name": "region", "default": "us"}]


def _files(word: str) -> Folder:
    main = f"""
variable "region" {{ type = string }}
resource "terraform_data" "machine" {{ input = "{word} in ${{var.region}}" }}
output "machine" {{ value = terraform_data.machine.output }}
"""
    return {"templates": {"machine": {"main.tf": main}}}


def test_a_version_is_a_commit_and_the_branch_may_move(own_team: Team, tmp_path: Path) -> None:
    team, repository = own_team, Repository(tmp_path / "served.git")
    first = repository.commit(_files("first"))
    with (
        serving(repository) as server,
        team.product.operator(),
        team.product.daemon("worker", provisioners=["terraform"], capacity=4),
    ):
        source = {"git": {"url": server.url, "ref": "main", "path": "templates/machine"}}
        version = team.make_template(parameters=PARAMETERS, provisioner="terraform", source=source)
        status = team.templates.latest()["template"]["status"]
        assert status["versions"][0]["git"]["commit"] == first
        assert [each["name"] for each in status["variables"]] == ["region"]
        assert [each["address"] for each in status["resources"]] == ["terraform_data.machine"]

        second = repository.commit(_files("second"))
        team.make("dev", updatePolicy="Always")
        body = team.until("dev", "Running", build=1)
        assert body["status"]["outputs"] == [{"name": "machine", "value": "first in us"}]

        team.admin.patch("wst", "template", {"spec": {"importGeneration": 1}})
        body = team.until("dev", "Running", build=2)
        assert body["status"]["outputs"] == [{"name": "machine", "value": "second in us"}]
        latest = team.templates.until_latest("template", is_ready)["status"]
        assert {each["name"]: each["git"]["commit"] for each in latest["versions"]} == {
            version: first,
            latest["activeVersion"]: second,
        }

        team.admin.patch("wst", "template", {"spec": {"source": {"git": {"ref": "no-such-branch"}}}})
        body = team.templates.until("template", reason_is("ImportFailed"))
        assert "no-such-branch" in condition(body, "Ready")["message"]
        assert body["status"]["activeVersion"] == latest["activeVersion"]
        team.admin.run("delete", "ws", "dev")

    assert team.transitions("dev") == ["Start", "Start", "Delete"]
