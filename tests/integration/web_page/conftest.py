"""Chromium on the page of a real web server, in front of the real control plane, with an operator and a daemon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

from integration.conftest import EACH_WORKER, ROLES
from support.cluster.shared_cluster import Cluster
from support.programs.chromium import NoBrowserError, find_chromium, flags
from support.programs.page_visit import PageVisit, a_visit
from support.programs.web_server import WebProgram, WebUsers, a_web_server
from support.test_namespace import ProductNamespace, a_serving_namespace

HERE = {"place": "here"}
"""Tags of the daemon."""
NOWHERE = {"place": "nowhere"}
"""Tags that no daemon has."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    # Not for longer: Playwright's event loop counts as running in this thread, so that no other test could start one.
    try:
        program = find_chromium()
    except NoBrowserError as error:
        missing(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags())
        yield browser
        browser.close()


def missing(reason: str) -> NoReturn:
    """Skip the test, loudly; in CI, where a browser is a must, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI tests the page in a browser. {reason}")
    pytest.skip(f"NOT TESTED IN A BROWSER: {reason}")


@pytest.fixture(scope=EACH_WORKER)
def web_server(cluster: Cluster) -> Iterator[WebProgram]:
    """Run a web server with the administrator's kubeconfig."""
    # All tests of a module are the same few users.
    with a_web_server(cluster.kubeconfig, requests_per_minute="100000", streams_per_user="100") as program:
        yield program


@pytest.fixture(scope="module")
def product(cluster: Cluster, module_namespace: str) -> Iterator[ProductNamespace]:
    """A namespace with an operator and a daemon `d1` of four slots."""
    with a_serving_namespace(cluster, module_namespace, tags=HERE) as product:
        yield product


@pytest.fixture(scope="module")
def users(product: ProductNamespace, web_server: WebProgram) -> Iterator[WebUsers]:
    """Users of the module's namespace."""
    users = WebUsers(product.admin, web_server.url, ROLES)
    yield users
    users.close()


@dataclass(frozen=True, slots=True)
class Visits:
    """Opens pages as users of the namespace."""

    browser: Browser
    users: WebUsers
    org: str

    @contextmanager
    def visit(
        self,
        user: str = "namespace-admin",
        *,
        scheme: str = "light",
        width: int = 1280,
        script: bool = True,
        url: str = "",
    ) -> Iterator[PageVisit]:
        """Open a browser window of a signed-in user; at its end, nothing may have been reported to its console."""
        token = self.users.token(user) if user else ""
        with a_visit(
            self.browser, url or self.users.url, token, org=self.org, scheme=scheme, width=width, script=script
        ) as visit:
            yield visit


@pytest.fixture
def visits(browser: Browser, users: WebUsers, product: ProductNamespace) -> Visits:
    """Windows of the namespace's users."""
    return Visits(browser, users, product.namespace)
