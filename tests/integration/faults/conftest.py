"""A namespace of its own for each test that breaks something."""

from collections.abc import Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.test_namespace import Site, a_site


@pytest.fixture
def site(cluster: Cluster, namespace: str) -> Iterator[Site]:
    """The test's namespace, without any program yet."""
    with a_site(cluster, namespace) as site:
        yield site
