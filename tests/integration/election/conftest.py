"""A namespace of its own for each test, where controllers may stand for election."""

from collections.abc import Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.cluster.watching import Watch, watching
from support.test_namespace import Site, a_site


@pytest.fixture
def bare_site(cluster: Cluster, namespace: str) -> Iterator[Site]:
    """The test's namespace without any program, and without rights to a Lease."""
    with a_site(cluster, namespace) as site:
        yield site


@pytest.fixture
def site(bare_site: Site) -> Site:
    """The test's namespace without any program yet."""
    bare_site.allow_election()
    return bare_site


@pytest.fixture
def leases(site: Site) -> Iterator[Watch]:
    """All that happens to the controllers' Lease."""
    with watching(site.admin, "leases") as watch:
        yield watch
