"""A web server for the tests of this folder, and its users in the test's namespace."""

from collections.abc import Iterator

import pytest

from integration.conftest import EACH_WORKER, ROLES
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster, KeptCluster
from support.programs.web_server import WebProgram, WebUsers, a_web_server


@pytest.fixture(scope=EACH_WORKER)
def web_server(cluster: Cluster) -> Iterator[WebProgram]:
    """Run a web server with the administrator's kubeconfig, which has a client certificate."""
    with a_web_server(cluster.kubeconfig) as program:
        yield program


@pytest.fixture
def certificates(cluster: Cluster) -> None:
    """Skip a test whose users need client certificates, which a given cluster does not make for them."""
    if not isinstance(cluster, KeptCluster):
        pytest.skip("the users of a given cluster are impersonated")


@pytest.fixture
def web(web_server: WebProgram, admin: Kubectl) -> Iterator[WebUsers]:
    """Provide viewer, submitter, namespace-admin and nobody, in the test's namespace."""
    users = WebUsers(admin, web_server.url, ROLES)
    yield users
    users.close()
