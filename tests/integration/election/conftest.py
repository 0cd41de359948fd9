"""A namespace of its own for each test, where controllers may stand for election."""

from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.site import Site, a_site
from support.watching import Watch, watching


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
