"""The controller dies after each write of a workspace's life in turn: each change still yields exactly one job."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from integration.workspaces.conftest import PARAMETERS, Team
from support.builders.manifests import a_template_manifest

LIFE = ["Start", "Start", "Stop", "Start", "Delete"]
FEWEST_KILLS = 2 * len(LIFE)
KILLED_WITHIN = 280.0
"""Timeout in seconds of each step; nearly every write takes a restart of the controller."""
LATEST_KILL_SECONDS = 0.05
"""Seconds between an observed change and the kill, so that it may hit the next write."""


@contextmanager
def _killed_after_each_change(team: Team, chance: Random) -> Iterator[list[float]]:
    """Run a controller that is killed soon after each change and restarted; the list has an entry for each death."""
    over = threading.Event()
    deaths: list[float] = []
    watches = (team.templates, team.workspaces, team.product.jobs)

    def keep() -> None:
        while not over.is_set():
            seen = sum(watch.changes for watch in watches)
            with team.product.operator(wait=False) as operator:
                while not over.is_set() and sum(watch.changes for watch in watches) == seen:
                    time.sleep(0.002)
                time.sleep(chance.choice([0.0, chance.uniform(0, LATEST_KILL_SECONDS)]))
                deaths.append(time.monotonic())
                operator.kill()

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield deaths
    finally:
        over.set()
        keeper.join()


@pytest.mark.timeout(1200)
def test_killed_after_each_write_it_creates_each_job_once(own_team: Team) -> None:
    team = own_team
    with (
        team.product.daemon("worker", capacity=4),
        _killed_after_each_change(team, Random(1)) as deaths,
    ):
        team.admin.create(a_template_manifest(parameters=PARAMETERS))
        team.make("life")
        team.until("life", "Running", seconds=KILLED_WITHIN)
        team.change("life", parameters=[{"name": "size", "value": "2"}])
        team.until("life", "Running", build=2, seconds=KILLED_WITHIN)
        team.change("life", running=False)
        team.until("life", "Stopped", build=3, seconds=KILLED_WITHIN)
        team.change("life", running=True)
        team.until("life", "Running", build=4, seconds=KILLED_WITHIN)
        team.admin.run("delete", "ws", "life", "--wait=false")
        team.workspaces.until_gone("life", seconds=KILLED_WITHIN)

    jobs = team.jobs_of("life")
    assert [body["spec"]["transition"] for body in jobs] == LIFE
    assert [body["metadata"]["name"] for body in jobs] == [f"life-{number}" for number in range(1, len(LIFE) + 1)]
    assert {body["status"]["phase"] for body in jobs} == {"Completed"}
    imports = [body for body in team.product.jobs.latest().values() if body["spec"]["type"] == "TemplateImport"]
    assert len(imports) == 1
    assert len(deaths) > FEWEST_KILLS
    team.product.ledger.assert_nothing_twice()
    team.product.ledger.assert_no_overlap()
