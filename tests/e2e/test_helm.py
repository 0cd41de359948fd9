"""The chart on a real node: an adopted installation passes its test, and is not uninstalled while it is needed."""

from pathlib import Path

import pytest

from chart.build import CHART
from e2e.product import ALL_WITHIN, Installation, Team
from support.cluster.kubectl import Kubectl
from support.programs.helm import RELEASE, Helm, helm_program

MAJOR = 4
"""Both Helms run hooks alike; the life cycle with each is tested on the control plane alone."""
WAITED = "--timeout=10m"


@pytest.fixture
def helm(installation: Installation, tmp_path: Path) -> Helm:
    return Helm(helm_program(MAJOR), MAJOR, tmp_path, installation.admin.kubeconfig)


def _delete_all(installation: Installation) -> None:
    """Delete all objects that need the operator, those that other tests have left as well."""
    everywhere = Kubectl(installation.admin.kubeconfig)
    for kind in ("ws", "wst", "pp", "pd"):
        everywhere.run("delete", kind, "--all", "--all-namespaces", ALL_WITHIN)


def test_an_adopted_installation_passes_its_test_and_stays_while_it_is_needed(
    helm: Helm, installation: Installation, team: Team, image: str
) -> None:
    repository, _, tag = image.rpartition(":")
    named = [f"--set=image.repository={repository},image.tag={tag},networkPolicy.enabled=true"]
    helm.run("install", RELEASE, str(CHART), "--take-ownership", "--force-conflicts", "--wait", WAITED, *named)
    helm.run("test", RELEASE, WAITED)
    _delete_all(installation)
    team.create_pool("needed", autoscaling={"minReplicas": 0, "maxReplicas": 1})
    team.await_ready("needed")

    refused = helm.attempt("uninstall", RELEASE, WAITED)

    assert not refused.ok
    assert f"{team.admin.namespace}/needed" in refused.stdout + refused.stderr
    installation.await_rollout()  # all of it is still there
    _delete_all(installation)
    helm.run("uninstall", RELEASE, "--wait", WAITED)
    assert not installation.admin.attempt("get", "deployment", "provisioner-operator").ok
    assert installation.admin.attempt("get", "crd", "provisionerjobs.provisioner.dev").ok
    installation.apply()
    installation.await_rollout()
