"""A namespace with a controller for the tests of each file, and one of a test's own for those that need it."""

from collections.abc import Callable, Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.programs.programs import Program
from support.test_namespace import Site, a_site


@pytest.fixture(scope="module")
def site(cluster: Cluster, module_namespace: str) -> Iterator[Site]:
    """A namespace with a controller, shared by the tests of the file: names and tags in it must differ."""
    with a_site(cluster, module_namespace) as site, site.operator():
        yield site


@pytest.fixture
def own_site(cluster: Cluster, make_namespace: Callable[[], str]) -> Iterator[Site]:
    """A namespace of the test's own, without any program yet."""
    with a_site(cluster, make_namespace()) as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Iterator[Program]:
    """A daemon without tags that has room for the jobs of all tests of the file."""
    with site.daemon("worker", capacity=8) as program:
        yield program
