"""Replay of recorded jobs: as they came and ran, on as many daemons as ran jobs at the same time."""

from __future__ import annotations

from contextlib import suppress
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


def read_jobs(path: Path) -> list[Job]:
    """Return the jobs of a file that `kubectl get pj -o json` wrote, as far as they ran, in order of creation."""
    found: list[Job] = []
    for body in orjson.loads(path.read_bytes())["items"]:
        with suppress(UnparseableObjectError):
            found.append(parse_job(body))
    return sorted((job for job in found if job.started and job.finished), key=lambda job: (job.created, job.name))


def replay_recording(jobs: list[Job], seed: int) -> World:
    """Play the jobs again, ask once after every job has come, and return the world at its end."""
    world = World(Scenario("recording", (), gap=0.0), seed)
    for number in range(_most_at_once(jobs)):
        world.add_daemon(f"daemon-{number}", {})
    begin = jobs[0].created - world.now
    for number, job in enumerate(jobs):
        seconds = (job.finished or 0.0) - (job.started or 0.0)
        kind = Template(job.template or "", seconds, 0.0)
        time = job.created - begin
        world.at(time, partial(world.submit, f"{number}-{job.name}", kind, job.initiator or "", max(1.0, seconds)))
        if number >= _LEARNED_SHARE * len(jobs):
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
