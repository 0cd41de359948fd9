"""The example of an organization in git: applied, applied again, changed and pruned."""

import shutil
from pathlib import Path

import pytest
import yaml

from integration.workspaces.conftest import Team, is_ready
from support.manifests import MANIFESTS, Manifest

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


def test_a_second_apply_changes_nothing_and_pruned_workspaces_are_destroyed(
    repository: Path, own_team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_APPLYSET", "true")
    team, admin = own_team, own_team.admin
    overlay = f"--kustomize={repository / 'overlays' / 'test'}"
    apply = ("apply", "--server-side", overlay, "--applyset=acme", "--prune")
    with (
        team.product.operator(),
        team.product.daemon("on-prem", tags={"environment": "on-prem"}, provisioners=["terraform"], capacity=4),
    ):
        admin.run(*apply)
        admin.run("wait", "--for=condition=Ready", "--timeout=110s", "wst/machine", "ws/dev", "ws/ci")
        version = team.templates.latest()["machine"]["status"]["activeVersion"]

        generations = _generations(team)
        admin.run(*apply)
        assert _generations(team) == generations
        # `kubectl diff` knows no ApplySets, so their label is the only difference.
        difference = admin.attempt("diff", "--server-side", overlay).stdout.splitlines()
        changed = [line for line in difference if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}]
        assert [line for line in changed if "applyset.kubernetes.io/part-of" not in line] == []
        assert team.transitions("dev") == team.transitions("ci") == ["Start"]

        _change(repository / "base" / "templates" / "machine" / "main.tf", "disk of", "large disk of")
        admin.run(*apply)
        body = team.workspaces.until(
            "dev", lambda body: body["status"].get("version") not in {None, version} and is_ready(body)
        )
        assert "large disk of dev" in body["status"]["outputs"][0]["value"]
        assert team.workspaces.latest()["ci"]["status"]["version"] == version

        _change(repository / "base" / "workspaces" / "kustomization.yaml", "  - ci.yaml\n", "")
        admin.run(*apply)
        team.workspaces.until_gone("ci")
        # With its own version, although the template has a newer one.
        destroyed = team.jobs_of("ci")[-1]
        assert (destroyed["spec"]["transition"], destroyed["status"]["phase"]) == ("Delete", "Completed")
        assert destroyed["spec"]["templateRef"]["version"] == version
        assert "dev" in team.workspaces.latest()


APPLICATIONS = [f"{part}/{overlay}" for part in ("platform", "overlays") for overlay in ("staging", "production")]


@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_api_server_accepts_the_applications(application: str, own_team: Team) -> None:
    for document in _documents(application, own_team):
        if document["kind"] == "Namespace":
            continue
        document["metadata"].pop("namespace")
        own_team.admin.run("create", "--dry-run=server", "-f", "-", given=document)


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_what_the_workspaces_need_to_be_destroyed_is_in_an_application_of_its_own(overlay: str, own_team: Team) -> None:
    platform = {each["kind"]: each for each in _documents(f"platform/{overlay}", own_team)}
    organization = {each["kind"] for each in _documents(f"overlays/{overlay}", own_team)}

    assert platform.keys() == {"Namespace", "ServiceAccount", "RoleBinding", "ProvisionerPool"}
    assert organization == {"ConfigMap", "WorkspaceTemplate", "Workspace"}
    # The account of a pool's Pods, unless its template names another.
    assert platform["ServiceAccount"]["metadata"]["name"] == "provisioner-daemon"
    assert platform["RoleBinding"]["subjects"][0]["namespace"] == overlay


def _documents(application: str, team: Team) -> list[Manifest]:
    return list(yaml.safe_load_all(team.admin.run("kustomize", str(EXAMPLE / application)).stdout))


def _generations(team: Team) -> dict[str, int]:
    items = team.admin.json("get", "wst,ws")["items"]
    return {f"{each['kind']} {each['metadata']['name']}": each["metadata"]["generation"] for each in items}


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
