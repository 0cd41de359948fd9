"""The API server accepts all that the chart can yield, and its Pods meet the strictest level of security."""

import pytest

from support.cluster.installation import has_stamping
from support.cluster.kubectl import Kubectl
from support.manifests import SUPPORT_DATA
from support.programs.helm import SYSTEM, Helm

MODES = ("enforce", "audit", "warn")


@pytest.fixture
def strict(admin: Kubectl) -> Kubectl:
    """kubectl of the administrator, with the Prometheus Operator's kinds, and warned of Pods that ask for more."""
    levels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in MODES]
    admin.run("label", "namespace", SYSTEM, "--overwrite", *levels)
    admin.run("apply", "--server-side", f"--filename={SUPPORT_DATA / 'prometheus_operator_crds.yaml'}")
    for kind in ("servicemonitors", "prometheusrules"):
        admin.run("wait", "crd", f"{kind}.monitoring.coreos.com", "--for=condition=Established", "--timeout=120s")
    return admin


def test_every_object_is_accepted_without_a_warning(helm: Helm, strict: Kubectl) -> None:
    bodies = helm.objects(
        hooks=True,
        policies={"stamping": has_stamping(strict)},
        networkPolicy={"enabled": True, "apiServerCIDRs": ["192.0.2.1/32"]},
        metrics={"serviceMonitor": {"enabled": True}},
        prometheusRule={"enabled": True},
        dashboards={"enabled": True},
        web={"enabled": True},
        argocd={"actions": True},
        teams=[{"namespace": "default", "createNamespace": False, "admins": ["admins"], "networkPolicy": True}],
    )

    everything = {"apiVersion": "v1", "kind": "List", "items": bodies}
    answer = strict.run("apply", "--server-side", "--dry-run=server", "-f", "-", given=everything)

    assert answer.stdout.count("serverside-applied") == len(bodies)
    assert answer.stderr == ""
