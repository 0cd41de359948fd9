"""The pictures of the page in `docs/images`, drawn on control planes of their own where PROVISIONER_PICTURES names that folder."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from integration.web_page.conftest import Visits
from integration.workspaces.conftest import Team, a_team
from provisioner_devcluster import ControlPlane
from provisioner_operator.api.v1alpha1.names import TEMPLATES
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.server import read_clocks
from support.builders.manifests import role_binding
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.cluster.role_bindings import grant_roles
from support.coder.api_world import ApiWorld
from support.manifests import Manifest
from support.programs.page_visit import PageVisit
from support.programs.web_server import WebUsers, a_web_server
from support.test_namespace import ProductNamespace, a_job

VARIABLE = "PROVISIONER_PICTURES"
ORG = "acme"
LINUX = {"os": "linux", "region": "eu-west-1"}
PARAMETERS: list[Manifest] = [
    {
        "name": "region",
        "displayName": "Region",
        "description": "Place of the machine",
        "default": "eu",
        "options": [{"name": "Europe", "value": "eu"}, {"name": "America", "value": "us"}],
    },
    {
        "name": "cpus",
        "displayName": "CPUs",
        "type": "number",
        "default": "4",
        "mutable": True,
        "validation": {"max": 64},
    },
    {"name": "gpu", "displayName": "GPU", "type": "bool", "default": "false", "mutable": True},
    {"name": "fail", "displayName": "Fails with", "default": "", "mutable": True},
]

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"draws pictures only into the folder {VARIABLE}")


@dataclass(frozen=True, slots=True)
class Studio:
    """An organization in the middle of a day, and windows of its users."""

    plane: ControlPlane
    team: Team
    visits: Visits

    @property
    def product(self) -> ProductNamespace:
        """The organization's namespace."""
        return self.team.product


@pytest.fixture(scope="module")
def studio(browser: Browser) -> Iterator[Studio]:
    """The organization, with a web server."""
    with ExitStack() as stack:
        plane = stack.enter_context(an_installed_control_plane())
        kubectl = Kubectl(plane.kubeconfig)
        for org in (ORG, "globex"):
            kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": org}})
        team = stack.enter_context(a_team(plane, ORG))
        product = team.product
        stack.enter_context(product.operator())
        stack.enter_context(product.daemon("linux-1", tags=LINUX, capacity=3))
        product.a_daemon_without_process("linux-2", tags=LINUX, cordoned=True)
        product.a_daemon_without_process("mac-1", tags={"os": "darwin", "arch": "arm64"})
        product.a_daemon_without_process("on-prem-1", tags={"os": "linux", "environment": "on-perm"})
        product.beat("on-prem-1", consecutiveFailures=4, failedJobs=6, completedJobs=3, version="0.0.9")
        fill(team)
        server = stack.enter_context(a_web_server(plane.kubeconfig))
        users = WebUsers(product.admin, server.url, {"ada": "provisioner-admin", "vic": "provisioner-viewer"})
        stack.callback(users.close)
        visits = Visits(browser, users, ORG)
        for user in ("ada", "vic"):
            users.token(user)
            grant_roles(kubectl, [role_binding(users.name(user), "provisioner-viewer", namespace="globex")])
        grant_roles(product.admin, [role_binding(users.name("ada"), "view", namespace=ORG)])
        yield Studio(plane, team, visits)


def fill(team: Team) -> None:
    product = team.product
    team.make_template("devcontainer", displayName="Dev container", tags=LINUX, parameters=PARAMETERS)
    for name in ("dev", "notebook"):
        team.make(name, templateRef={"name": "devcontainer"}, owner="sam@example.com", autostopSeconds=36_000)
        team.until(name, "Running")
    team.change("notebook", running=False)
    team.until("notebook", "Stopped", build=2)
    team.make(
        "api-tests", templateRef={"name": "devcontainer"}, fail="Error: quota exceeded for cpus in region eu-west-1"
    )
    team.until("api-tests", "Failed")
    product.submit("smoke-1", tags=LINUX, lines=40, seconds=3, outputs='{"url": "https://dev.example.com/"}')
    product.jobs.until("smoke-1", "Completed")
    product.submit("gpu-train-3", tags={"os": "linux", "environment": "on-prem"})
    for name in ("nightly-1", "nightly-2", "nightly-3"):
        product.submit_held(name, tags=LINUX, lines=12)
    product.submit_all(["ci-41", "ci-42", "ci-43"], tags=LINUX)
    product.submit("old-7", tags={"os": "windows"})
    product.cancel("old-7", cancelReason="not needed any more")
    product.jobs.until("old-7", "Canceled")


def test_pictures(studio: Studio) -> None:
    ada = studio.visits.users.name("ada")
    assert ada
    with studio.visits.visit("ada") as visit:
        draw_jobs(visit)
        draw_others(visit)
    with studio.visits.visit("ada", scheme="dark") as visit:
        visit.live()
        draw(visit, "web-jobs-dark", 640)
        visit.live("provisioners")
        draw(visit, "web-provisioners", 620)
        visit.live("provisioner-jobs/smoke-1")
        draw(visit, "web-job", 820)
        visit.open("provisioner-jobs/smoke-1/logs")
        draw(visit, "web-log", 640)
    with studio.visits.visit("ada", width=320) as visit:
        visit.live("provisioner-jobs?status=pending")
        draw(visit, "web-narrow", 760)
        visit.live("provisioner-jobs/gpu-train-3")
        draw(visit, "web-narrow-why", 760)
    with studio.visits.visit("ada", width=320, scheme="dark") as visit:
        visit.live("provisioners")
        draw(visit, "web-narrow-provisioners", 760)
        visit.live("workspaces/dev")
        draw(visit, "web-narrow-workspace", 760)
    with studio.visits.visit("vic") as visit:
        visit.live("provisioner-jobs/gpu-train-3")
        draw(visit, "web-denied", 420)
    draw_states(studio)


def draw_jobs(visit: PageVisit) -> None:
    page = visit.live()
    expect(visit.row("ci-43")).to_contain_text("3/3")
    draw(visit, "web-jobs")
    expand(visit, "gpu-train-3")
    draw(visit, "web-why")
    open_dialog(page, visit.row("gpu-train-3").locator("[data-cancel]").click)
    draw(visit, "web-cancel", 700)
    visit.live("provisioner-jobs?status=pending&status=running&tag=os%3Dlinux&since=24h")
    draw(visit, "web-filters", 760)
    page = visit.live("provisioner-jobs?status=pending")
    for name in ("ci-41", "ci-42"):
        page.get_by_label(f"Select job {name}").check()
    open_dialog(page, page.get_by_role("button", name="Cancel 2 selected…").click)
    draw(visit, "web-bulk", 640)


def draw_others(visit: PageVisit) -> None:
    page = visit.live("provisioners")
    open_dialog(page, visit.row("linux-1").get_by_role("link", name="Drain linux-1").click)
    draw(visit, "web-drain", 620)
    visit.live("workspaces")
    draw(visit, "web-workspaces", 440)
    visit.live("workspaces/dev")
    draw(visit, "web-workspace", 640)
    visit.open("workspaces/dev/rebuild")
    draw(visit, "web-parameters", 600)
    visit.live("/")
    draw(visit, "web-organizations", 300)
    visit.open("/me")
    draw(visit, "web-me", 480)
    visit.open("/login?problem=refused")
    draw(visit, "web-login", 500)
    visit.live("/organizations/globex/provisioner-jobs")
    draw(visit, "web-empty", 720)
    visit.refusals_expected = True
    visit.open("/organizations/other/provisioner-jobs")
    draw(visit, "web-forbidden", 440)


def draw_states(studio: Studio) -> None:
    """Draw the pages of a server that has just started, of one that has gone, of a list in which somebody works, and of a deleted job."""
    with studio.visits.visit("ada") as visit, a_filling_server() as address:
        visit.refusals_expected = True
        visit.page.context.add_cookies([{"name": "provisioner", "value": "sam-token", "url": address}])
        visit.page.goto(f"{address}/organizations/acme/provisioner-jobs")
        draw(visit, "web-loading", 460)
    with ExitStack() as second:
        url = second.enter_context(a_web_server(studio.plane.kubeconfig)).url
        with studio.visits.visit("ada", url=url) as visit:
            visit.refusals_expected = True
            page = visit.live("provisioner-jobs?status=pending")
            second.close()
            expect(page.locator("#disconnected")).to_be_visible()
            draw(visit, "web-disconnected", 560)
    with studio.visits.visit("ada") as visit:
        page = visit.live("provisioner-jobs?status=pending")
        visit.row("ci-43").hover()
        studio.product.submit_all(["ci-44", "ci-45"], tags=LINUX)
        expect(page.locator("#waiting")).to_have_text("2 new jobs")
        draw(visit, "web-waiting", 560)

    with studio.visits.visit("ada") as visit:
        visit.refusals_expected = True
        studio.product.submit("typo-1", tags={"os": "linus"})
        page = visit.open("provisioner-jobs/typo-1/logs")
        expect(page.locator("#live")).to_contain_text("Following")
        studio.product.admin.delete("pj", "typo-1")
        expect(page.locator("#closed")).to_be_visible()
        draw(visit, "web-gone", 360)


def test_picture_of_an_outage(browser: Browser) -> None:
    with an_installed_control_plane() as plane, a_web_server(plane.kubeconfig) as server:
        kubectl = Kubectl(plane.kubeconfig)
        kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ORG}})
        admin = kubectl.within(ORG)
        admin.create_all([a_job(name, tags=LINUX) for name in ("nightly-1", "nightly-2", "nightly-3")])
        users = WebUsers(admin, server.url, {"ada": "provisioner-admin"})
        with closing(users), Visits(browser, users, ORG).visit("ada") as visit:
            page = visit.live()
            expect(visit.row("nightly-3")).to_be_visible()
            plane.stop_api_server(kill=True)
            expect(page.locator(".stale .note")).to_be_visible(timeout=60_000)
            draw(visit, "web-away", 560)


@contextmanager
def a_filling_server() -> Iterator[str]:
    """Run the page on an index of which two kinds have been read."""
    index = ClusterIndex(read_clocks)
    index.complete(NAMESPACES, TEMPLATES)
    server = uvicorn.Server(uvicorn.Config(ApiWorld(index).app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def expand(visit: PageVisit, name: str) -> None:
    visit.row(name).locator("[data-expand]").click()
    expect(visit.page.get_by_role("article", name=f"Job {name}")).to_be_visible()
    visit.row(name).evaluate("row => row.scrollIntoView()")


def open_dialog(page: Page, click: object) -> None:
    assert callable(click)
    click()
    expect(page.locator("#dialog[open]")).to_be_visible()


def draw(visit: PageVisit, name: str, height: int = 900) -> None:
    visit.page.set_viewport_size({"width": visit.page.evaluate("innerWidth"), "height": height})
    visit.page.screenshot(path=Path(os.environ[VARIABLE]) / f"{name}.png")
    visit.page.set_viewport_size({"width": visit.page.evaluate("innerWidth"), "height": 900})
