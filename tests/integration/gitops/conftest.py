"""Objects that no controller observes, and Argo CD's server with and without the component for its actions."""

from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)
from support.cluster.kubectl import Kubectl
from support.cluster.kustomizations import a_kustomization
from support.cluster.phases import bring_to
from support.cluster.role_bindings import await_right
from support.cluster.shared_cluster import Cluster
from support.manifests import Manifest

WITH_ACTIONS = "system:serviceaccount:argocd:argocd-server"
WITHOUT_ACTIONS = "system:serviceaccount:argocd-as-installed:argocd-server"
_RBAC = "rbac.authorization.k8s.io"
_UPSTREAM_ROLE: Manifest = {
    "apiVersion": f"{_RBAC}/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "argocd-server"},
    "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["delete", "get", "patch"]}],
}
"""The role of Argo CD's own installation in all namespaces, without its rights on kinds that are not ours."""


@pytest.fixture(scope="module")
def argocd_rights(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Give both servers Argo CD's own role, and one of them the component's; return the cluster."""
    root = Kubectl(cluster.kubeconfig)
    root.apply(_UPSTREAM_ROLE)
    for user in (WITH_ACTIONS, WITHOUT_ACTIONS):
        root.apply(_upstream_binding(user))
        await_right(root, user, "patch", "provisionerjobs", None)
    folder = a_kustomization(tmp_path_factory.mktemp("component"), components=["argocd-actions"])
    root.run("apply", "--server-side", f"--kustomize={folder}")
    await_right(root, WITH_ACTIONS, "impersonate", "workspaces", None)
    return cluster


@pytest.fixture
def with_actions(argocd_rights: Cluster, namespace: str) -> Kubectl:
    """Argo CD's server where the component is installed."""
    return _server(argocd_rights, WITH_ACTIONS, namespace)


@pytest.fixture
def without_actions(argocd_rights: Cluster, namespace: str) -> Kubectl:
    """Argo CD's server with the rights of its own installation only."""
    return _server(argocd_rights, WITHOUT_ACTIONS, namespace)


@pytest.fixture
def fresh(admin: Kubectl) -> dict[str, Manifest]:
    """A new object of each kind, as the API server returns it, by kind."""
    manifests: list[Manifest] = [
        a_job_manifest(),
        a_template_manifest(),
        a_workspace_manifest(owner="sam"),
        a_pool_manifest(),
        a_daemon_manifest(),
    ]
    return {each["kind"]: admin.create(each) for each in manifests}


@pytest.fixture
def targets(admin: Kubectl, fresh: dict[str, Manifest]) -> dict[str, Manifest]:
    """An object for each action, in a state in which the action is possible."""
    admin.create(a_job_manifest("suspended", suspend=True))
    admin.create(a_job_manifest("ended", tags={}, variablesFrom=[]))
    admin.create(a_workspace_manifest("stopped", owner="sam", running=False))
    admin.create(a_daemon_manifest("cordoned", cordoned=True))
    job, workspace = fresh["ProvisionerJob"], fresh["Workspace"]
    return {
        "cancel": job,
        "force-cancel": job,
        "suspend": job,
        "resume": admin.get("pj", "suspended"),
        "retry": bring_to(Phase.FAILED, admin, "ended"),
        "start": admin.get("ws", "stopped"),
        "stop": workspace,
        "rebuild": workspace,
        "reimport": fresh["WorkspaceTemplate"],
        "cordon": fresh["ProvisionerDaemon"],
        "uncordon": admin.get("pd", "cordoned"),
    }


def _server(cluster: Cluster, user: str, namespace: str) -> Kubectl:
    _, _, of, _ = user.split(":")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{of}")
    return Kubectl(Path(cluster.kubeconfig_for(user, groups)), namespace)


def _upstream_binding(user: str) -> Manifest:
    _, _, namespace, account = user.split(":")
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{namespace}-{account}"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "argocd-server"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
