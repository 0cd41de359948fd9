"""A page that loses its server, its session or its rights says so, and comes back by itself."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from integration.conftest import ROLES
from integration.web_page.conftest import NOWHERE, Visits
from support.builders.manifests import role_binding
from support.cluster.kubectl import Kubectl
from support.cluster.role_bindings import grant_roles
from support.cluster.shared_cluster import Cluster
from support.programs.web_server import WebUsers, a_web_server
from support.test_namespace import ProductNamespace
from support.unique import unique

SEEN_WITHIN = 60.0
"""Longer than a busy server needs to notice that a namespace was deleted."""


def test_a_page_reconnects_and_shows_what_it_missed(
    cluster: Cluster, product: ProductNamespace, visits: Visits
) -> None:
    with ExitStack() as first:
        url = first.enter_context(a_web_server(cluster.kubeconfig)).url
        with visits.visit(url=url) as visit:
            visit.refusals_expected = True
            page = visit.live()
            first.close()
            expect(page.locator("#live")).to_contain_text("Reconnecting")
            expect(page.locator("#disconnected")).to_be_visible()
            expect(page.locator("#announcer")).to_contain_text("Disconnected.")
            name = unique("missed")
            product.submit(name, tags=NOWHERE)
            with a_web_server(cluster.kubeconfig, f"--http-port={urlsplit(url).port}"):
                expect(visit.row(name)).to_be_visible(timeout=30_000)
                expect(page.locator("#live")).to_contain_text("Live")
                expect(page.locator("#disconnected")).to_be_hidden()


@pytest.mark.parametrize("path", ["provisioner-jobs", "provisioners", "workspaces"])
def test_a_list_of_a_deleted_organization_says_so_and_stops(
    path: str, make_namespace: Callable[[], str], product: ProductNamespace, visits: Visits
) -> None:
    org, user = make_namespace(), "namespace-admin"
    visits.users.token(user)
    grant_roles(product.admin, [role_binding(visits.users.name(user), ROLES[user], namespace=org)])
    with visits.visit(user) as visit:
        visit.refusals_expected = True
        visit.page.clock.install()
        page = visit.live(f"/organizations/{org}/{path}")
        visit.hide(hidden=True)
        delete_namespace(product.admin, org)
        deadline = time.monotonic() + SEEN_WITHIN
        while page.request.get(page.url).status != HTTPStatus.FORBIDDEN:
            assert time.monotonic() < deadline
        visit.hide(hidden=False)
        visit.expect_closed("Access withdrawn", "or there is no such organization")


def delete_namespace(admin: Kubectl, name: str) -> None:
    """Delete an empty namespace, in place of the controller that does so in a whole cluster."""
    admin.run("delete", "namespace", name, "--wait=false")
    finalized = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []}}
    admin.run("replace", "--raw", f"/api/v1/namespaces/{name}/finalize", "-f", "-", given=finalized)


def test_signing_out_elsewhere_is_shown_on_the_page(visits: Visits) -> None:
    with visits.visit() as visit:
        visit.refusals_expected = True
        page = visit.live()
        page.context.clear_cookies()
        visit.hide(hidden=True)
        visit.hide(hidden=False)
        page.locator("#live").get_by_role("link", name="Signed out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_token_is_checked_at_login_and_forgotten_at_logout(visits: Visits, users: WebUsers) -> None:
    with visits.visit("") as visit:
        page = visit.open()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_label("Token", exact=True).fill("not-a-token")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("does not accept this token")
        page.get_by_label("Token", exact=True).fill(users.token("viewer"))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Provisioner jobs")).to_be_visible()
        expect(page.get_by_role("link", name=users.name("viewer"))).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert ROLES["viewer"] not in page.content()


def test_a_user_without_rights_is_shown_which_one_is_missing(visits: Visits, users: WebUsers) -> None:
    with visits.visit("nobody") as visit:
        visit.refusals_expected = True
        page = visit.open()
        expect(page.get_by_role("heading", name="You may not see this")).to_be_visible()
        expect(page.locator("main")).to_contain_text(users.name("nobody"))
        expect(page.locator("main")).to_contain_text("kubectl auth can-i list provisionerjobs")
