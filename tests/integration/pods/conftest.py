"""A namespace of its own for each test, with a controller, and Pods whose kubelet is the test."""

from collections.abc import Generator, Iterator

import pytest

from support.cluster import Cluster
from support.pods import daemon_binding, service_account
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
    """The test's namespace with a controller, where Pods may be daemons."""
    with a_site(cluster, namespace) as site:
        items = [service_account(), *daemon_binding(namespace)]
        site.admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        with site.operator():
            yield site
