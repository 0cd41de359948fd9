"""The whole installation in the run's cluster, without its Pods, because other tests run their own."""

from collections.abc import Iterator

import pytest

from support.cluster.kubectl import Kubectl
from support.cluster.kustomizations import a_kustomization
from support.cluster.permissions import Authority
from support.cluster.shared_cluster import Cluster
from support.manifests import MANIFESTS, SUPPORT_DATA, Manifest

SYSTEM, TEAM = "provisioner-system", "team-example"
"""The namespaces of the installation and of the example."""
NO_PODS = [{"name": name, "count": 0} for name in ("provisioner-operator", "provisioner-web")]


@pytest.fixture(scope="session")
def root(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """Apply everything, and return kubectl of the cluster's administrator."""
    root = Kubectl(cluster.kubeconfig)
    root.run("apply", "--server-side", f"--filename={SUPPORT_DATA / 'prometheus_operator_crds.yaml'}")
    for kind in ("servicemonitors", "prometheusrules"):
        root.run("wait", "crd", f"{kind}.monitoring.coreos.com", "--for=condition=Established", "--timeout=60s")
    folder = tmp_path_factory.mktemp("installation")
    installation = a_kustomization(folder, "default", components=["web"], replicas=NO_PODS)
    for folder in (installation, MANIFESTS / "overlays" / "team-example"):
        root.run("apply", "--server-side", f"--kustomize={folder}")
    for namespace in (SYSTEM, TEAM):
        root.within(namespace).wait("serviceaccount", "default", "create")
    return root


@pytest.fixture(scope="session")
def pod_of_the_controller(root: Kubectl) -> Manifest:
    """A Pod as the Deployment would create it."""
    template = root.within(SYSTEM).get("deployment", "provisioner-operator")["spec"]["template"]
    meta = {"name": "example", "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


@pytest.fixture(scope="session")
def authority(root: Kubectl) -> Iterator[Authority]:
    """The permissions of each ServiceAccount, as the API server reports them."""
    authority = Authority(root.kubeconfig)
    yield authority
    authority.close()
