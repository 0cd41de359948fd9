"""`make up ARGS=--monitoring`, and `make down`: real programs, and each dashboard's page shows what it must."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from demo.background import Record
from monitoring.grafana.board import Board
from monitoring.grafana.boards import boards
from monitoring.rules.queue_slo import QueueSlo
from support.manifests import REPOSITORY
from support.programs.prometheus_tools import need_prometheus

WITHIN = 240.0
"""Seconds for a panel to have data: jobs have to end, and rules to be evaluated, on a machine that runs other tests."""
PAUSE = 2.0
COMMAND_WITHIN = 540.0
_SECTION = re.compile(r'<section [^>]*data-state="(\w+)">\s*<h3>(.*?)</h3>(.*?)</section>', re.DOTALL)
_VALUES = {
    "lines": re.compile(r'<path class="line" [^>]*d="M'),
    "heatmap": re.compile(r'<rect class="cell"'),
    "timeline": re.compile(r'<rect class="(on|off)"'),
    "values": re.compile(r"<dd>[^-<]"),
    "table": re.compile(r"<td>"),
}
"""Signs of a value, by the kind of picture."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A checkout of its own, in which the demo runs: one that a developer has started here is left alone."""

    checkout: Path
    said: str
    record: Record

    def load(self) -> None:
        """Add jobs, as the explanation says."""
        place = self.checkout / ".state" / "demo"
        own = {"KUBECONFIG": str(place / "sam.kubeconfig"), "KUBECACHEDIR": str(place / "kubectl-cache")}
        environment = {**os.environ, **own}
        create = [str(place / "bin" / "kubectl"), "create", "-f", "demo/jobs/load.yaml"]
        subprocess.run(create, cwd=self.checkout, env=environment, check=True, capture_output=True)


def run(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=COMMAND_WITHIN,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    need_prometheus()
    checkout = tmp_path_factory.mktemp("checkout")
    for folder in ("demo", "manifests", "crds", "monitoring"):
        shutil.copytree(REPOSITORY / folder, checkout / folder)
    place, pids = checkout / ".state" / "demo", dict[str, int]()
    try:
        said = run(checkout, "up", "--monitoring")
        yield Demo(checkout, said, Record(**json.loads((place / "record.json").read_text(encoding="utf-8"))))
        pids = {path.stem: int(path.read_text()) for path in place.glob("*.pid")}
        assert pids.keys() >= {"operator", "prometheus", "dashboards"}
        assert [name for name, pid in pids.items() if not alive(pid)] == []
    finally:
        run(checkout, "down")
    assert not place.parent.exists()
    assert [name for name, pid in pids.items() if alive(pid)] == []


def sections(demo: Demo, board: Board) -> dict[str, tuple[str, str]]:
    """Return the state and the text of each panel on the page, by its title."""
    with urllib.request.urlopen(f"{demo.record.dashboards}/d/{board.uid}?range=15m", timeout=60) as response:
        page = response.read().decode()
    return {unescape(title): (state, text) for state, title, text in _SECTION.findall(page)}


def without_value(demo: Demo, board: Board) -> list[str]:
    """Return the panels that must have a value and have none; no panel may show an error, at any time."""
    found = sections(demo, board)
    assert list(found) == [panel.title for panel in board.panels()]
    assert [text for state, text in found.values() if state == "error"] == []
    needed = [panel.title for panel in board.panels() if not all(query.sometimes for query in panel.queries)]
    return [title for title in needed if not has_value(*found[title])]


def has_value(state: str, text: str) -> bool:
    return state in _VALUES and _VALUES[state].search(text) is not None


@pytest.mark.parametrize("board", boards(QueueSlo()), ids=lambda board: board.name)
def test_a_page_shows_live_data(demo: Demo, board: Board) -> None:
    deadline = time.monotonic() + WITHIN
    while missing := without_value(demo, board):
        assert time.monotonic() < deadline, missing
        demo.load()
        time.sleep(PAUSE)


def test_the_explanation_names_the_pages(demo: Demo) -> None:
    assert demo.record.dashboards in demo.said
    assert demo.record.prometheus in demo.said


def test_prometheus_scrapes_the_operator_and_evaluates_the_rules(demo: Demo) -> None:
    def ask(path: str) -> dict[str, list[dict[str, object]]]:
        with urllib.request.urlopen(f"{demo.record.prometheus}/api/v1/{path}", timeout=60) as response:
            found: dict[str, list[dict[str, object]]] = json.load(response)["data"]
        return found

    (target,) = ask("targets")["activeTargets"]
    assert target["scrapeUrl"] == demo.record.metrics
    assert ask("rules")["groups"]


def test_an_unknown_dashboard_and_an_unknown_range_are_refused(demo: Demo) -> None:
    connection = http.client.HTTPConnection(urlsplit(demo.record.dashboards).netloc, timeout=60)
    for path, status in (("/", 302), ("/d/other", 404), ("/d/provisioner-queue?range=9y", 400)):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert (path, response.status) == (path, status)
    connection.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
