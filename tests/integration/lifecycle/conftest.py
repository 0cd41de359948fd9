"""Namespace with a controller for the tests of each file, and separate namespaces for tests that need one."""

from collections.abc import Callable, Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.programs.programs import Program
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture(scope="module")
def product(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace with a controller, shared by the tests of the file: names and tags in it must differ."""
    with a_product_namespace(cluster, module_namespace) as product, product.operator():
        yield product


@pytest.fixture
def own_product(cluster: Cluster, make_namespace: Callable[[], str]) -> Iterator[ProductNamespace]:
    """A namespace of the test's own, without any program yet."""
    with a_product_namespace(cluster, make_namespace()) as product:
        yield product


@pytest.fixture(scope="module")
def worker(product: ProductNamespace) -> Iterator[Program]:
    """A daemon without tags, with enough capacity for the jobs of all tests of the file."""
    with product.daemon("worker", capacity=8) as program:
        yield program
