"""The pictures of the dashboards in `docs/images`, after minutes of work on a control plane of their own, where PROVISIONER_PICTURES names that folder."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from demo.monitoring import start_monitoring
from demo.programs import Programs
from integration.workspaces.conftest import Team, a_team
from support.cluster.installation import an_installed_control_plane
from support.cluster.kubectl import Kubectl
from support.cluster.kubelet import Kubelet, a_pool
from support.cluster.pods import daemon_binding, service_account
from support.manifests import Manifest
from support.programs.chromium import find_chromium, flags
from support.programs.prometheus_server import PrometheusServer
from support.programs.prometheus_tools import need_prometheus
from support.test_namespace import a_job

VARIABLE = "PROVISIONER_PICTURES"
DASHBOARDS = ("queue", "runs", "fleet", "workspaces", "controller")
ORG = "acme"
LINUX, GPU = {"os": "linux"}, {"os": "linux", "gpu": "a100"}
SECONDS_OF_WORK = 220
"""Most of the time shown."""
SHOWN = "5m"
PAUSE = 4.0
KNOWN_WITHIN = 60.0
WIDTH = 1100

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"draws pictures only into the folder {VARIABLE}")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the page, when an organization has worked for some minutes, and while it goes on."""
    prometheus = need_prometheus()
    with ExitStack() as stack:
        plane = stack.enter_context(an_installed_control_plane())
        Kubectl(plane.kubeconfig).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ORG}})
        team = stack.enter_context(a_team(plane, ORG))
        items = [service_account(), *daemon_binding(ORG)]
        team.admin.run("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        operator = stack.enter_context(team.product.operator())
        programs = Programs(tmp_path_factory.mktemp("programs"))
        stack.callback(programs.stop)
        address, url = start_monitoring(programs, tmp_path_factory.mktemp("prometheus"), prometheus, operator.endpoint)
        for name in ("linux-1", "linux-2"):
            stack.enter_context(team.product.daemon(name, tags=LINUX, capacity=2))
        stack.enter_context(Kubelet(team.product).at_work())
        settle(team)
        work(team)
        fill_queue(team, PrometheusServer(address))
        yield url


def settle(team: Team) -> None:
    """Create the pool, templates and workspaces of the organization."""
    team.admin.create(a_pool("gpu", tags=GPU, autoscaling={"minReplicas": 1, "maxReplicas": 4}))
    team.make_template("devcontainer", tags=LINUX)
    for name in ("dev", "notebook"):
        team.make(name, templateRef={"name": "devcontainer"})
    team.make("api-tests", templateRef={"name": "devcontainer"}, fail="quota exceeded")
    team.product.submit_all(["old-7", "old-8"], tags={"os": "windows"})


def work(team: Team) -> None:
    """Submit jobs for some minutes, as users do: now more, now fewer."""
    dice = random.Random(7)
    begin = time.monotonic()
    number, is_stopped = 0, False
    while (elapsed := time.monotonic() - begin) < SECONDS_OF_WORK:
        if elapsed > SECONDS_OF_WORK / 2 and not is_stopped:
            team.change("notebook", running=False)
            is_stopped = True
        count = dice.choice((0, 1, 1, 2, 5))
        jobs = [some_job(dice, number + each) for each in range(count)]
        number += count
        if jobs:
            team.admin.create_all(jobs)
        if jobs and dice.random() < 0.15:
            team.product.cancel(jobs[-1]["metadata"]["name"])
        time.sleep(PAUSE)


def fill_queue(team: Team, server: PrometheusServer) -> None:
    """Submit more jobs than the pool can run, and wait until Prometheus knows that they wait for it."""
    names = [f"render-{number}" for number in range(9)]
    team.product.submit_all(names, tags=GPU, seconds=60, templateRef={"name": "gpu-vm"})
    deadline = time.monotonic() + KNOWN_WITHIN
    while not server.query("provisioner_queue_pool"):
        assert time.monotonic() < deadline
        time.sleep(PAUSE / 4)


def some_job(dice: random.Random, number: int) -> Manifest:
    template = dice.choice(("docker", "docker", "kubernetes", "gpu-vm"))
    fails = {"fail": "quota exceeded"} if template == "kubernetes" and dice.random() < 0.4 else {}
    seconds = dice.choice((1, 2, 4, 8, 20 if template == "gpu-vm" else 6))
    tags = GPU if template == "gpu-vm" else LINUX
    return a_job(f"job-{number}", seconds=seconds, tags=tags, templateRef={"name": template}, **fails)


def test_pictures(page: str) -> None:
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_chromium(), args=flags()) as browser,
    ):
        for name in DASHBOARDS:
            # A window for each: the page reloads itself, which a second visit would interrupt.
            window = browser.new_page(viewport={"width": WIDTH, "height": 200})
            window.goto(f"{page}/d/provisioner-{name}?range={SHOWN}")
            window.screenshot(path=Path(os.environ[VARIABLE]) / f"dashboard-{name}.png", full_page=True)
            window.close()
