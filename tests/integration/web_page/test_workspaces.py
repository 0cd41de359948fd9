"""Workspaces in a browser: stop, start with other parameters, rebuild, delete."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from integration.web_page.conftest import Visits
from integration.workspaces.conftest import PARAMETERS, Team, a_team
from support.cluster.shared_cluster import Cluster
from support.test_namespace import ProductNamespace
from support.unique import unique

SECOND = [*PARAMETERS, {"name": "second", "default": "", "mutable": True}]
"""Parameters of a second version."""


@pytest.fixture(scope="module")
def team(cluster: Cluster, module_namespace: str) -> Iterator[Team]:
    """A namespace with an operator, a daemon and the template `template`."""
    with (
        a_team(cluster, module_namespace) as team,
        team.product.operator(),
        team.product.daemon("worker", capacity=8),
    ):
        team.make_template()
        yield team


@pytest.fixture(scope="module")
def product(team: Team) -> ProductNamespace:
    """The team's namespace, in place of the one of the other modules."""
    return team.product


def test_a_workspace_is_stopped_and_started_with_other_parameters(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name)
    team.until(name, "Running")
    with visits.visit() as visit:
        page = visit.live(f"workspaces/{name}")
        page.get_by_role("link", name="Stop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        expect(page.locator("#region")).to_contain_text("Stopped")

        page.get_by_role("link", name="Start").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("size").fill("7")
        dialog.get_by_role("button", name="Start").click()
        expect(page.get_by_role("link", name="Stop")).to_be_visible()
        body = team.until(name, "Running", build=3)
        assert {"name": "size", "value": "7"} in body["spec"]["parameters"]
        expect(page.locator("#region")).to_contain_text(f"{name}-3")


def test_a_stopped_workspace_is_rebuilt_with_other_values(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name)
    team.until(name, "Running")
    team.change(name, running=False)
    team.until(name, "Stopped", build=2)
    with visits.visit() as visit:
        page = visit.live(f"workspaces/{name}")
        page.get_by_role("link", name="Rebuild").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("size").fill("7")
        dialog.get_by_role("button", name="Rebuild").click()
        body = team.until(name, "Stopped", build=3)
        assert {"name": "size", "value": "7"} in body["spec"]["parameters"]


def test_one_that_its_autostop_stopped_is_started(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name, autostopSeconds=2)
    team.until(name, "Stopped", build=2)
    with visits.visit() as visit:
        page = visit.live(f"workspaces/{name}")
        page.get_by_role("link", name="Start").click()
        page.get_by_role("dialog").get_by_role("button", name="Start").click()
        team.until(name, "Stopped", build=4)
        assert team.transitions(name) == ["Start", "Stop", "Start", "Stop"]


def test_an_outdated_workspace_moves_to_the_newer_version(team: Team, visits: Visits) -> None:
    template, name = unique("wst"), unique("ws")
    first = team.make_template(template)
    team.make(name, templateRef={"name": template})
    team.until(name, "Running")
    with visits.visit() as visit:
        page = visit.live(f"workspaces/{name}")
        expect(page.get_by_role("link", name="Rebuild")).to_be_visible()
        expect(page.get_by_role("link", name="Update")).to_have_count(0)
        team.admin.patch("wst", template, {"spec": {"parameters": SECOND}})
        body = team.templates.until_latest(
            template, lambda body: body["status"].get("activeVersion") not in {None, first}
        )
        second = body["status"]["activeVersion"]
        page.get_by_role("link", name=f"Update to version {second}").click()
        page.get_by_role("dialog").get_by_role("button", name="Update").click()
        assert team.until(name, "Running", build=2)["status"]["version"] == second
        expect(page.get_by_role("link", name="Update")).to_have_count(0)


def test_a_value_that_the_api_server_rejects_keeps_the_dialog(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name)
    team.until(name, "Running")
    with visits.visit(script=False) as visit:
        visit.refusals_expected = True
        page = visit.open(f"workspaces/{name}/rebuild")
        page.get_by_label("outputs").fill("x" * 5000)
        page.get_by_role("button", name="Rebuild").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_label("outputs")).to_have_value("x" * 5000)


def test_a_workspace_is_rebuilt_and_deleted_from_the_list(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name)
    team.until(name, "Running")
    with visits.visit() as visit:
        page = visit.live("workspaces")
        visit.row(name).get_by_role("link", name=f"Rebuild {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Rebuild").click()
        expect(visit.row(name)).to_contain_text(f"{name}-2")
        team.until(name, "Running", build=2)
        visit.row(name).get_by_role("link", name=f"Delete {name}").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("destroys its resources")
        dialog.get_by_role("button", name="Delete").click()
        # Beside others it stays, faded, while the pointer or the focus is in the list.
        page.get_by_role("heading", name="Workspaces").click()
        expect(visit.row(name)).to_have_count(0)


@pytest.mark.parametrize(("user", "verb"), [("viewer", "patch"), ("submitter", "impersonate")])
def test_who_may_not_change_a_workspace_learns_why(team: Team, visits: Visits, user: str, verb: str) -> None:
    name = unique("ws")
    team.make(name, owner="ada@example.com")
    with visits.visit(user) as visit:
        page = visit.live("workspaces")
        button = visit.row(name).get_by_role("button", name=f"Stop {name}")
        expect(button).to_have_accessible_description(re.compile(f"you lack the verb {verb} on workspaces"))
        expect(visit.row(name).locator("[data-dialog]")).to_have_count(0)
        assert visit.violations() == []
        button.click(force=True)
        expect(page.locator("#toasts")).to_contain_text("provisioner-admin")
        page = visit.live(f"workspaces/{name}")
        expect(page.get_by_role("button", name="Stop")).to_have_attribute("aria-disabled", "true")
        expect(page.locator(".reasons p").first).to_contain_text(f"you lack the verb {verb} on workspaces")
        assert visit.violations() == []


def test_the_page_of_a_deleted_workspace_says_so_and_stops(team: Team, visits: Visits) -> None:
    name = unique("ws")
    team.make(name)
    team.until(name, "Running")
    with visits.visit() as visit:
        visit.refusals_expected = True
        visit.page.clock.install()
        page = visit.live(f"workspaces/{name}")
        team.admin.delete("ws", name)
        expect(page.locator("#region")).to_contain_text(f"Workspace {name} is gone")
        visit.hide(hidden=True)
        visit.hide(hidden=False)
        visit.expect_closed("Gone", f"There is no workspace {name} in organization {visit.org}.")
