"""The API server accepts all that the chart can yield, and its Pods meet the strictest level of security."""

from pathlib import Path

import pytest

from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.manifests import SUPPORT_DATA
from support.programs.helm import MAJORS, Helm, helm_program

MODES = ("enforce", "audit", "warn")


@pytest.fixture
def strict(cluster: Cluster, namespace: str) -> Kubectl:
    """kubectl of the administrator, in a namespace that warns of Pods that ask for more, with the Prometheus Operator's kinds."""
    strict = Kubectl(cluster.kubeconfig, namespace)
    levels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in MODES]
    strict.run("label", "namespace", namespace, "--overwrite", *levels)
    strict.run("apply", "--server-side", f"--filename={SUPPORT_DATA / 'prometheus_operator_crds.yaml'}")
    for kind in ("servicemonitors", "prometheusrules"):
        strict.run("wait", "crd", f"{kind}.monitoring.coreos.com", "--for=condition=Established", "--timeout=120s")
    return strict


@pytest.mark.parametrize("major", MAJORS)
def test_every_object_is_accepted_without_a_warning(
    major: int, strict: Kubectl, namespace: str, tmp_path: Path
) -> None:
    bodies = Helm(helm_program(major), major, tmp_path, namespace=namespace).objects(
        hooks=True,
        policies={"stamping": has_stamping(strict)},
        networkPolicy={"enabled": True, "apiServerCIDRs": ["192.0.2.1/32"]},
        metrics={"serviceMonitor": {"enabled": True}},
        prometheusRule={"enabled": True},
        dashboards={"enabled": True},
        web={"enabled": True},
        argocd={"actions": True},
        teams=[{"namespace": namespace, "createNamespace": False, "admins": ["admins"], "networkPolicy": True}],
    )

    # A dry run of a Pod looks for its ServiceAccount, which a dry run does not leave.
    strict.run("create", "serviceaccount", "provisioner-test")
    everything = {"apiVersion": "v1", "kind": "List", "items": bodies}
    # All namespaces of the objects are their own.
    answer = Kubectl(strict.kubeconfig).run(
        "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", given=everything
    )

    assert answer.stdout.count("serverside-applied") == len(bodies)
    assert answer.stderr == ""
