"""Namespace for each test, with a controller, and Pods for which the test acts as kubelet."""

from collections.abc import Iterator

import pytest

from support.cluster.pods import daemon_binding, service_account
from support.cluster.shared_cluster import Cluster
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture
def product(cluster: Cluster, namespace: str) -> Iterator[ProductNamespace]:
    """The test's namespace with a controller, where Pods may be daemons."""
    with a_product_namespace(cluster, namespace) as product:
        items = [service_account(), *daemon_binding(namespace)]
        product.admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        with product.operator():
            yield product
