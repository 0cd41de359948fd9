"""Namespace for each test, in which controllers can take part in leader election."""

from collections.abc import Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.cluster.watching import Watch, watching
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture
def bare_product(cluster: Cluster, namespace: str) -> Iterator[ProductNamespace]:
    """The test's namespace without any program, and without permissions on a Lease."""
    with a_product_namespace(cluster, namespace) as product:
        yield product


@pytest.fixture
def product(bare_product: ProductNamespace) -> ProductNamespace:
    """The test's namespace without any program yet."""
    bare_product.allow_election()
    return bare_product


@pytest.fixture
def leases(product: ProductNamespace) -> Iterator[Watch]:
    """Watch of the controllers' Lease."""
    with watching(product.admin, "leases") as watch:
        yield watch
