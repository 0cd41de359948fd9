"""Provisioners in a browser: cordon and drain."""

import re

from playwright.sync_api import expect

from integration.web_page.conftest import Visits
from provisioner_operator.api.v1alpha1.names import DAEMONS, GROUP, JOBS
from support.builders.manifests import role_binding
from support.cluster.role_bindings import grant_roles
from support.manifests import Manifest
from support.programs.web_server import WebUsers
from support.test_namespace import ProductNamespace
from support.unique import unique


def test_a_provisioner_is_cordoned_and_uncordoned(product: ProductNamespace, visits: Visits) -> None:
    product.a_daemon_without_process("spare", tags={"place": "spare"})
    with visits.visit() as visit:
        page = visit.live("provisioners")
        visit.row("spare").get_by_role("link", name="Cordon spare", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Cordon").click()
        expect(visit.row("spare").get_by_role("link", name="Uncordon spare")).to_be_visible()
        assert product.admin.get("pd", "spare")["spec"]["cordoned"]
        visit.row("spare").get_by_role("link", name="Uncordon spare").click()
        page.get_by_role("dialog").get_by_role("button", name="Uncordon").click()
        expect(visit.row("spare").get_by_role("link", name="Cordon spare", exact=True)).to_be_visible()


def test_a_forced_drain_shows_each_run_that_it_could_not_kill(
    product: ProductNamespace, visits: Visits, users: WebUsers
) -> None:
    users.token("keeper")
    grant_roles(product.admin, _of_a_keeper(users.name("keeper"), product))
    with product.daemon("drained", tags={"place": "drained"}, capacity=2):
        name, own = unique("held"), unique("own")
        product.submit_held(name, tags={"place": "drained"})
        reference = {"name": own, "owner": users.name("keeper")}
        product.submit_held(own, tags={"place": "drained"}, workspaceRef=reference, ownerMayCancel=True)
        for each in (name, own):
            product.jobs.until(each, "Running")
        for user, title, result, ended in (
            ("keeper", "1 of 2 runs", 'the verb "cancel" on resource "provisionerjobs"', own),
            ("namespace-admin", "1 of 1 run", "Its run is being killed.", name),
        ):
            with visits.visit(user) as visit:
                page = visit.live("provisioners")
                visit.row("drained").get_by_role("link", name="Drain drained").click()
                dialog = page.get_by_role("dialog")
                dialog.get_by_label("Kill its runs").check()
                dialog.get_by_role("button", name="Drain").click()
                expect(dialog.get_by_role("heading")).to_contain_text(title)
                expect(dialog.get_by_role("row").filter(has_text=name)).to_contain_text(result)
            product.jobs.until(ended, "Canceled")
        with visits.visit("keeper") as visit:
            page = visit.open("provisioners/drained/drain")
            force = page.get_by_label("Kill its runs")
            expect(force).to_be_disabled()
            expect(force).to_have_accessible_description(re.compile("you lack the verb cancel on provisionerjobs"))
            assert visit.violations() == []


def _of_a_keeper(user: str, product: ProductNamespace) -> list[Manifest]:
    """The rights of somebody who may change provisioners and jobs, and cancel only where a template lets the owner."""
    product.admin.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "keeper"},
            "rules": [{"apiGroups": [GROUP], "resources": [DAEMONS, JOBS], "verbs": ["patch"]}],
        }
    )
    binding = role_binding(user, "keeper", namespace=product.namespace)
    return [
        binding | {"roleRef": binding["roleRef"] | {"kind": "Role"}},
        role_binding(user, "provisioner-viewer", namespace=product.namespace),
    ]
