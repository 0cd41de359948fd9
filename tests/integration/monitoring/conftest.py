"""An operator with jobs of every kind of end, and a Prometheus that scrapes it with the product's rules."""

from collections.abc import Callable, Iterator

import pytest

from support.cluster.shared_cluster import Cluster
from support.programs.programs import OperatorProgram
from support.programs.prometheus_server import PrometheusServer, a_prometheus
from support.programs.prometheus_tools import need_prometheus
from support.test_namespace import ProductNamespace, a_product_namespace


@pytest.fixture(scope="module")
def product(cluster: Cluster, make_namespace: Callable[[], str]) -> Iterator[ProductNamespace]:
    """A namespace of the file."""
    with a_product_namespace(cluster, make_namespace()) as product:
        yield product


@pytest.fixture(scope="module")
def operator(product: ProductNamespace) -> Iterator[OperatorProgram]:
    """A controller that serves only that namespace."""
    with product.operator() as operator:
        yield operator


@pytest.fixture(scope="module")
def prometheus(
    product: ProductNamespace, operator: OperatorProgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the operator as the ServiceMonitor says, before and after jobs ended."""
    program = need_prometheus()
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        product.daemon("daemon"),
        a_prometheus(program, folder, operator.endpoint) as server,
    ):
        template = {"templateRef": {"name": "docker"}}
        product.submit("good", seconds=0.1, **template)
        product.submit("bad", fail="on purpose", **template)
        product.submit("stuck", tags={"gpu": "yes"}, **template)
        product.jobs.until_all(["good", "bad"])
        product.jobs.until("stuck", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
        yield server
