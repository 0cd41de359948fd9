"""A namespace of its own for each test that breaks something."""

from collections.abc import Generator, Iterator

import pytest

from support.cluster import Cluster
from support.reports import add_logs
from support.site import Site, a_site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the programs' logs where a test failed."""
    report = yield
    add_logs(report)
    return report


@pytest.fixture
def site(cluster: Cluster, namespace: str) -> Iterator[Site]:
    """The test's namespace, without any program yet."""
    with a_site(cluster, namespace) as site:
        yield site
