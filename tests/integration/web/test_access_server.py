"""A web server tells its streams when it ends, counts requests, and shows nothing of its own rights."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from integration.conftest import ROLES
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.web_server import TIMEOUT, WebProgram, WebUsers, a_web_server

EVENTS = "/api/provisioner/v1/events"


@pytest.fixture
def server(cluster: Cluster) -> Iterator[WebProgram]:
    """Run a web server of the test's own."""
    with a_web_server(cluster.kubeconfig) as program:
        yield program


def test_a_server_that_ends_says_so_to_its_streams(server: WebProgram, admin: Kubectl) -> None:
    users = WebUsers(admin, server.url, ROLES)
    headers = {"Coder-Session-Token": users.token("viewer")}
    with httpx.stream("GET", server.url + EVENTS, headers=headers, timeout=TIMEOUT) as stream:
        assert stream.status_code == httpx.codes.OK
        lines = stream.iter_lines()
        first = next(lines)
        ended = threading.Timer(0.1, server.terminate)
        ended.start()
        received = [first, *lines]
        ended.join()

    assert any("shutting-down" in line for line in received), received
    assert server.exit_code() == 0


def test_requests_and_refusals_are_counted_on_a_port_of_their_own(server: WebProgram, admin: Kubectl) -> None:
    users = WebUsers(admin, server.url, ROLES)
    httpx.get(f"{server.url}/api/v2/users/me", headers={"Coder-Session-Token": users.token("viewer")}, timeout=TIMEOUT)
    httpx.get(f"{server.url}/api/v2/users/me", timeout=TIMEOUT)
    httpx.get(f"{server.url}/", headers={"Host": "evil.example"}, timeout=TIMEOUT)

    metrics = httpx.get(f"http://127.0.0.1:{server.await_record(key='metrics_port')}/metrics", timeout=TIMEOUT).text

    for code in (200, 401, 403):
        assert any(f'code="{code}"' in line for line in metrics.splitlines() if "web_requests_total{" in line), metrics
    assert "provisioner_web_index_ready 1.0" in metrics
    assert httpx.get(f"{server.url}/metrics", timeout=TIMEOUT).status_code != httpx.codes.OK
