"""The example of an organization in git: applied, applied again, changed and pruned."""

import shutil
from pathlib import Path

import pytest
import yaml

from integration.workspaces.conftest import Team, is_ready
from support.manifests import MANIFESTS

EXAMPLE = MANIFESTS / "examples" / "gitops"


@pytest.fixture
def repository(tmp_path: Path, own_team: Team) -> Path:
    """A copy of the example, with an overlay for the test's namespace."""
    shutil.copytree(EXAMPLE, tmp_path / "repository")
    overlay = tmp_path / "repository" / "overlays" / "test"
    overlay.mkdir()
    kustomization = {"namespace": own_team.product.namespace, "resources": ["../../base"]}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return tmp_path / "repository"


def test_a_second_apply_changes_nothing_and_pruned_workspaces_are_destroyed(repository: Path, own_team: Team) -> None:
    team, admin = own_team, own_team.admin
    overlay = f"--kustomize={repository / 'overlays' / 'test'}"
    with (
        team.product.operator(),
        team.product.daemon("on-prem", tags={"environment": "on-prem"}, provisioners=["terraform"], capacity=4),
    ):
        admin.run("apply", overlay)
        admin.run("wait", "--for=condition=Ready", "--timeout=110s", "wst/machine", "ws/dev", "ws/ci")
        version = team.templates.latest()["machine"]["status"]["activeVersion"]

        assert "configured" not in admin.run("apply", overlay).stdout
        # Exit code 1 would mean that there is a difference.
        assert admin.attempt("diff", overlay).ok
        assert admin.attempt("diff", "--server-side", "--field-manager=kubectl-client-side-apply", overlay).ok
        assert team.transitions("dev") == team.transitions("ci") == ["Start"]

        _change(repository / "base" / "templates" / "machine" / "main.tf", "disk of", "large disk of")
        admin.run("apply", overlay)
        body = team.workspaces.until(
            "dev", lambda body: body["status"].get("version") not in {None, version} and is_ready(body)
        )
        assert "large disk of dev" in body["status"]["outputs"][0]["value"]
        assert team.workspaces.latest()["ci"]["status"]["version"] == version

        _change(repository / "base" / "workspaces" / "kustomization.yaml", "  - ci.yaml\n", "")
        kinds = "--prune-allowlist=provisioner.dev/v1alpha1/Workspace"
        admin.run("apply", overlay, "--prune", "--selector=app.kubernetes.io/part-of=acme", kinds)
        team.workspaces.until_gone("ci")
        # With its own version, although the template has a newer one.
        destroyed = team.jobs_of("ci")[-1]
        assert (destroyed["spec"]["transition"], destroyed["status"]["phase"]) == ("Delete", "Completed")
        assert destroyed["spec"]["templateRef"]["version"] == version
        assert "dev" in team.workspaces.latest()


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_the_api_server_accepts_the_overlays(overlay: str, own_team: Team) -> None:
    answer = own_team.admin.run("kustomize", str(EXAMPLE / "overlays" / overlay))

    for document in yaml.safe_load_all(answer.stdout):
        if document["kind"] == "Namespace":
            continue
        document["metadata"].pop("namespace")
        own_team.admin.run("create", "--dry-run=server", "-f", "-", given=document)


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
