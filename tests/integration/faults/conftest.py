"""Namespace for each test that causes faults."""

from collections.abc import Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture
def product(cluster: Cluster, namespace: str) -> Iterator[ProductNamespace]:
    """The test's namespace, without any program yet."""
    with a_product_namespace(cluster, namespace) as product:
        yield product
