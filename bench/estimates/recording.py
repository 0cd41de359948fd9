"""Replay of recorded jobs: as they came and ran, on as many daemons as ran jobs at the same time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from bench.estimates.scenarios import Scenario, Template
from bench.estimates.world import World
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner_operator.core.model.records import Job

_LEARNED_SHARE = 0.2
"""Share of the jobs, the first ones, of which nothing is asked: the later ones are estimated from them."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A job that came, and how long it ran."""

    created: float
    template: str
    seconds: float
    initiator: str = ""


def read_jobs(path: Path) -> list[Job]:
    """Return the jobs of a file that `kubectl get pj -o json` wrote, as far as they ran, in order of creation."""
    found: list[Job] = []
    for body in orjson.loads(path.read_bytes())["items"]:
        with suppress(UnparseableObjectError):
            found.append(parse_job(body))
    return sorted((job for job in found if job.started and job.finished), key=lambda job: (job.created, job.name))


def replay_recording(jobs: list[Job], seed: int) -> World:
    """Play the jobs again, ask once after every job has come, and return the world at its end."""
    runs = [
        RecordedRun(job.created, job.template or "", (job.finished or 0.0) - (job.started or 0.0), job.initiator or "")
        for job in jobs
    ]
    return replay_runs(runs, _most_at_once(jobs), seed)


def replay_runs(runs: list[RecordedRun], slots: int, seed: int, *, asked_every: int = 1) -> World:
    """Play runs, in order of creation, on so many slots; ask after each of them, or fewer, and return the world at its end."""
    world = World(Scenario("recording", (), gap=0.0), seed)
    for number in range(slots):
        world.add_daemon(f"daemon-{number}", {})
    begin = runs[0].created - world.now
    for number, run in enumerate(runs):
        kind = Template(run.template, run.seconds, 0.0)
        time = run.created - begin
        world.at(time, partial(world.submit, f"job-{number}", kind, run.initiator, max(1.0, run.seconds)))
        if number >= _LEARNED_SHARE * len(runs) and number % asked_every == 0:
            world.at(time + 1.0, world.ask)
    world.run()
    return world


def _most_at_once(jobs: list[Job]) -> int:
    ends = sorted([(job.started or 0.0, 1) for job in jobs] + [(job.finished or 0.0, -1) for job in jobs])
    running = most = 0
    for _, change in ends:
        running += change
        most = max(most, running)
    return most
