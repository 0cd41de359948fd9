"""The pictures of the page in `docs/images`, drawn on a real control plane where PROVISIONER_PICTURES names that folder."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from integration.web_page.conftest import Visits
from integration.workspaces.conftest import Team, a_team
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.page_visit import PageVisit
from support.programs.web_server import WebProgram, WebUsers

VARIABLE = "PROVISIONER_PICTURES"
ORG = "acme"
LINUX = {"os": "linux", "region": "eu-west-1"}

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"draws pictures only into the folder {VARIABLE}")


@pytest.fixture(scope="module")
def acme(cluster: Cluster) -> Iterator[Team]:
    """An organization in the middle of a day."""
    kubectl = Kubectl(cluster.kubeconfig)
    kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ORG}})
    with ExitStack() as stack:
        team = stack.enter_context(a_team(cluster, ORG))
        product = team.product
        stack.enter_context(product.operator())
        stack.enter_context(product.daemon("linux-1", tags=LINUX, capacity=3))
        product.a_daemon_without_process("on-prem-1", tags={"os": "linux", "environment": "on-perm"})
        product.beat("on-prem-1", consecutiveFailures=4, failedJobs=6, completedJobs=3, version="0.0.9")
        fill(team)
        yield team
        kubectl.run("delete", "namespace", ORG, "--wait=false")


def fill(team: Team) -> None:
    product = team.product
    team.make_template("devcontainer", displayName="Dev container", tags=LINUX)
    for name in ("dev", "notebook"):
        team.make(name, templateRef={"name": "devcontainer"})
        team.until(name, "Running")
    team.make(
        "api-tests", templateRef={"name": "devcontainer"}, fail="Error: quota exceeded for cpus in region eu-west-1"
    )
    team.until("api-tests", "Failed")
    product.submit("smoke-1", tags=LINUX, lines=8, outputs='{"url": "https://dev.example.com/"}')
    product.jobs.until("smoke-1", "Completed")
    product.submit("gpu-train-3", tags={"os": "linux", "environment": "on-prem"})
    for name in ("nightly-1", "nightly-2", "nightly-3"):
        product.submit_held(name, tags=LINUX)
    product.submit_all(["ci-41", "ci-42", "ci-43"], tags=LINUX)
    product.submit("old-7", tags={"os": "windows"})
    product.cancel("old-7", cancelReason="not needed any more")
    product.jobs.until("old-7", "Canceled")


@pytest.fixture
def visits_of_ada(browser: Browser, web_server: WebProgram, acme: Team) -> Iterator[Visits]:
    users = WebUsers(acme.admin, web_server.url, {"ada": "provisioner-admin"})
    yield Visits(browser, users, ORG)
    users.close()


def test_pictures(acme: Team, visits_of_ada: Visits) -> None:
    assert acme.product.namespace == ORG
    with visits_of_ada.visit("ada") as visit:
        visit.live()
        expect(visit.row("ci-43")).to_contain_text("3/3")
        draw(visit, "web-jobs")
        visit.row("gpu-train-3").locator("[data-expand]").click()
        expect(visit.page.get_by_role("article", name="Job gpu-train-3")).to_be_visible()
        visit.row("gpu-train-3").evaluate("row => row.scrollIntoView()")
        draw(visit, "web-why")
        visit.row("gpu-train-3").locator("[data-cancel]").click()
        expect(visit.page.get_by_role("dialog").get_by_label("Reason")).to_be_visible()
        draw(visit, "web-cancel")
        visit.live("workspaces")
        draw(visit, "web-workspaces", 500)
    with visits_of_ada.visit("ada", scheme="dark") as visit:
        visit.live("provisioners")
        draw(visit, "web-provisioners", 460)
        visit.live("provisioner-jobs/smoke-1")
        draw(visit, "web-job")
    with visits_of_ada.visit("ada", width=320) as visit:
        visit.live("provisioner-jobs?status=pending")
        draw(visit, "web-narrow", 760)


def draw(visit: PageVisit, name: str, height: int = 900) -> None:
    visit.page.set_viewport_size({"width": visit.page.evaluate("innerWidth"), "height": height})
    visit.page.screenshot(path=Path(os.environ[VARIABLE]) / f"{name}.png")
