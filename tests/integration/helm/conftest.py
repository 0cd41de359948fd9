"""Both Helms on a control plane that nobody else uses, on which each test finds no product."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner_devcluster import ControlPlane
from support.cluster.kubectl import Kubectl
from support.programs.helm import MAJORS, RELEASE, SYSTEM, Helm, helm_program

PRODUCT = "app.kubernetes.io/part-of=provisioner-operator"
KINDS = "crd,clusterrole,clusterrolebinding,priorityclass,validatingadmissionpolicy,validatingadmissionpolicybinding"


@pytest.fixture(scope="module")
def admin() -> Iterator[Kubectl]:
    """kubectl of the administrator of a new control plane, in the product's namespace."""
    with ControlPlane.start() as plane:
        admin = Kubectl(plane.kubeconfig, SYSTEM)
        admin.run("create", "namespace", SYSTEM)
        yield admin


@pytest.fixture(params=MAJORS, ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, admin: Kubectl, tmp_path: Path) -> Iterator[Helm]:
    """Helm 3, and Helm 4; all that a test leaves of the product is deleted."""
    helm = Helm(helm_program(request.param), request.param, tmp_path, admin.kubeconfig)
    yield helm
    helm.run("uninstall", RELEASE, "--no-hooks", "--ignore-not-found")
    admin.run("delete", KINDS, f"--selector={PRODUCT}", "--timeout=120s")
    admin.run("delete", "deploy,svc,pdb,sa,role,rolebinding", f"--selector={PRODUCT}", "--timeout=120s")
