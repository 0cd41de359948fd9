"""A namespace of its own for each test, with a controller, and Pods whose kubelet is the test."""

from collections.abc import Iterator

import pytest

from support.cluster.pods import daemon_binding, service_account
from support.cluster.shared_cluster import Cluster
from support.test_namespace import Site, a_site


@pytest.fixture
def site(cluster: Cluster, namespace: str) -> Iterator[Site]:
    """The test's namespace with a controller, where Pods may be daemons."""
    with a_site(cluster, namespace) as site:
        items = [service_account(), *daemon_binding(namespace)]
        site.admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        with site.operator():
            yield site
