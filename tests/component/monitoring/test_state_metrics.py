"""Prometheus itself takes the metrics of single objects, and answers the queries of the docs with them."""

import functools
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from monitoring.state_metrics.metrics import state_metrics
from support.manifests import REPOSITORY
from support.programs.prometheus_server import PrometheusServer, a_prometheus
from support.programs.prometheus_tools import check, need_prometheus, need_promtool
from support.state_metrics.evaluation import exposition
from support.state_metrics.fixtures import NAMES, golden, stored
from unit.docs.pages import read

QUERIES = [
    code
    for code in dict.fromkeys(read(REPOSITORY / "docs" / "monitoring.md").inline_code)
    if "kube_provisioner_" in code
]
WITHIN = 120.0
"""Seconds for the first scrape: one on a quiet machine."""


@functools.cache
def page() -> str:
    """Return the metrics of the fixtures as Prometheus reads them."""
    return exposition(state_metrics(), map(stored, NAMES))


class _Target(BaseHTTPRequestHandler):
    """Serves the metrics of the fixtures."""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(page().encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output free of requests."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that has scraped them."""
    program = need_prometheus()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Target) as target:
        threading.Thread(target=target.serve_forever, daemon=True).start()
        folder = tmp_path_factory.mktemp("prometheus")
        address = f"http://127.0.0.1:{target.server_port}"
        with a_prometheus(program, folder, address) as server:
            deadline = time.monotonic() + WITHIN
            while not server.query("kube_provisioner_pool_replicas") and time.monotonic() < deadline:
                time.sleep(0.2)
            yield server
        target.shutdown()


def test_names_and_texts_are_as_prometheus_wants_them() -> None:
    assert page().count("# TYPE") > 20
    assert check(need_promtool(), "check", "metrics", given=page()) == (0, "")


def test_every_series_is_kept_apart(prometheus: PrometheusServer) -> None:
    found = prometheus.query('{__name__=~"kube_provisioner_.+"}')
    assert len(found) == sum(len(golden(name)) for name in NAMES)
    assert {each["metric"]["namespace"] for each in found} == {"acme"}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_docs_finds_what_it_asks_for(query: str, prometheus: PrometheusServer) -> None:
    assert len(QUERIES) > 5
    found = prometheus.query(query)
    assert len(found) == 1, query
