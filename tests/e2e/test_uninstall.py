"""Uninstalling as documented leaves nothing, whatever exists, and the product can be installed again."""

import shlex
from collections.abc import Iterator

from e2e.product import ALL_WITHIN, WITHIN, Installation, Team
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.cluster.kubectl import Kubectl
from support.manifests import REPOSITORY

PAGE = REPOSITORY / "docs" / "versioning.md"
WORKSPACES = "workspaces.provisioner.dev"
KINDS = ("crd", "clusterrole", "clusterrolebinding", "priorityclass", "validatingadmissionpolicy", "namespace")


def _left(admin: Kubectl) -> list[str]:
    names = [each["metadata"]["name"] for kind in KINDS for each in admin.json("get", kind)["items"]]
    return [name for name in names if name.startswith("provisioner-") or name.endswith("provisioner.dev")]


def _documented_deletions() -> Iterator[list[str]]:
    """Arguments of each `kubectl delete` in the block of commands under the page's heading."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## Uninstall\n")[2]
    for line in section.split("```")[1].splitlines():
        if line.startswith("kubectl delete "):
            yield shlex.split(line)[1:]


def _create_one_of_each_kind(team: Team) -> None:
    team.create_pool()
    team.admin.create(a_template_manifest())
    team.admin.create(a_workspace_manifest("dev"))
    team.admin.wait(WORKSPACES, "dev", "condition=Ready", seconds=int(WITHIN))


def test_uninstalling_leaves_nothing_and_installing_again_works(installation: Installation, team: Team) -> None:
    _create_one_of_each_kind(team)
    admin = Kubectl(installation.admin.kubeconfig)
    assert _left(admin) != []
    for arguments in _documented_deletions():
        here = [str(installation.kustomization) if each == "." else each for each in arguments]
        admin.run(*here, ALL_WITHIN)
    assert _left(admin) == []
    installation.apply()
    installation.await_rollout()
