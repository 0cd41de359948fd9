"""The command line as the users of a namespace in which the product works."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli
from support.programs.programs import Program
from support.test_namespace import ProductNamespace, a_product_namespace

ON_PREM = {"environment": "on-prem", "datacenter": "chicago"}
CLOUD = {"environment": "cloud"}


@dataclass(frozen=True, slots=True)
class People:
    """The users who type the commands."""

    viewer: Cli
    submitter: Cli
    admin: Cli
    """Of the namespace."""
    root: Cli
    """Of the cluster."""
    nobody: Cli
    """Known to the API server, without any right."""


def people_of(cluster: Cluster, namespace: str) -> People:
    """The users of a namespace."""

    def user(name: str) -> Cli:
        return Cli(cluster.kubeconfig_for(name), namespace)

    root = Cli(cluster.kubeconfig, namespace)
    return People(user("viewer"), user("submitter"), user("namespace-admin"), root, user("nobody"))


@pytest.fixture(scope="module")
def quiet(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace without any program: it has only the objects that a test wrote."""
    with a_product_namespace(cluster, module_namespace) as product:
        yield product


@pytest.fixture(scope="module")
def busy(quiet: ProductNamespace) -> Iterator[ProductNamespace]:
    """The namespace with an operator and a daemon `d1` of two slots."""
    with quiet.operator(), quiet.daemon("d1", tags=ON_PREM, capacity=2):
        yield quiet


@pytest.fixture
def other_daemon(busy: ProductNamespace) -> Iterator[Program]:
    """A daemon `d2` for what a test does to daemons."""
    with busy.daemon("d2", tags=CLOUD) as program:
        yield program


@pytest.fixture(scope="module")
def people(cluster: Cluster, module_namespace: str) -> People:
    """The users of the module's namespace."""
    return people_of(cluster, module_namespace)
