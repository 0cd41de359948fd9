"""Real control plane for all integration tests of a run, with the product's API installed, and users of each role."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster, GivenCluster, shared_cluster
from support.reports import add_logs
from support.unique import unique

EACH_WORKER: Final = "session"
"""Scope of a fixture that each worker may make for itself: its folder's tests need not stay in one worker."""
ROLES = {"viewer": "provisioner-viewer", "submitter": "provisioner-submitter", "namespace-admin": "provisioner-admin"}
"""The users of every test namespace, by name, and their ClusterRoles."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the programs' logs to the report of a failed test."""
    report = yield
    add_logs(report)
    return report


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Cluster]:
    """Provide the run's cluster, shared by all workers, until the last of them ends."""
    own = tmp_path_factory.getbasetemp()
    with shared_cluster(own if worker_id == "master" else own.parent) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kubeconfig_for(cluster: Cluster) -> Callable[[str, Sequence[str]], Path]:
    """Return a function that makes a kubeconfig for a user and groups."""
    return cluster.kubeconfig_for


@pytest.fixture(scope="session")
def make_namespace(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """Return a function that creates a namespace with the users of `ROLES`.

    In a cluster that stays, all are deleted at the end, without waiting.
    """
    kubectl = Kubectl(cluster.kubeconfig)
    made: list[str] = []

    def make() -> str:
        name = unique("test")
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        bindings = [role_binding(user, role, namespace=name) for user, role in ROLES.items()]
        kubectl.create(namespace)
        grant_roles(kubectl, bindings)
        made.append(name)
        return name

    yield make
    if made and isinstance(cluster, GivenCluster):
        kubectl.run("delete", "namespace", "--wait=false", *made)


@pytest.fixture
def namespace(make_namespace: Callable[[], str]) -> str:
    """A namespace of the test's own."""
    return make_namespace()


@pytest.fixture(scope="module")
def module_namespace(make_namespace: Callable[[], str]) -> str:
    """A namespace shared by the tests of a module, for tables of many cheap cases; names in it must differ."""
    return make_namespace()


@pytest.fixture
def admin(cluster: Cluster, namespace: str) -> Kubectl:
    """The cluster's administrator, in the test's namespace."""
    return Kubectl(cluster.kubeconfig, namespace)


@pytest.fixture
def viewer(cluster: Cluster, namespace: str) -> Kubectl:
    """A user who may read."""
    return Kubectl(cluster.kubeconfig_for("viewer"), namespace)


@pytest.fixture
def submitter(cluster: Cluster, namespace: str) -> Kubectl:
    """A user who may submit jobs."""
    return Kubectl(cluster.kubeconfig_for("submitter"), namespace)


@pytest.fixture
def namespace_admin(cluster: Cluster, namespace: str) -> Kubectl:
    """A user who may cancel jobs and act for others."""
    return Kubectl(cluster.kubeconfig_for("namespace-admin"), namespace)
