"""One job at a time on an idle cluster: the latency until it is accepted, runs, and is canceled.

Measured from sending the request until a watch shows the result, and compared with the round trip of one conditional patch.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.arena import LANE
from bench.behavior import Behavior
from bench.floor import FLOOR, assignment
from bench.statistics import percentile
from bench.stopwatch import watching
from bench.subjects import provisioner_jobs
from provisioner_operator.kube import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.arena import Arena
    from bench.contest import Contest
    from bench.plan import Plan
    from bench.results import Results
    from bench.subjects import Subject

SCENARIO = "latency"
ACCEPTED = "submitted to accepted, idle"
RUNNING = "submitted to running, idle"
CANCELED = "cancel to canceled, idle"
ROUND_TRIP = "one conditional status patch, idle"
NAMESPACE = "round-trips"


async def measure(arena: Arena, contest: Contest, plan: Plan, results: Results) -> None:
    """Run the rounds."""
    arena.namespace(NAMESPACE)
    for number in range(plan.rounds):
        await _round_trips(arena, [f"patch-{number}-{index}" for index in range(plan.samples)], results)
        for place, subject in contest.holding():
            await place.quiet(subject.pids)
            await _one_by_one(place, subject, [f"single-{number}-{index}" for index in range(plan.samples)], results)


async def _round_trips(arena: Arena, names: Sequence[str], results: Results) -> None:
    """Assign jobs that match no daemon, with the minimal client."""
    subject = provisioner_jobs(NAMESPACE, Behavior.IGNORE, tags={LANE: "nobody"})
    await arena.client.send_all([subject.submission(name) for name in names])
    await arena.quiet({})
    took = []
    for name in names:
        request = assignment(await arena.client.ask(paths.job(NAMESPACE, name)))
        took.append(await arena.as_operator.send(request))
    _note(results, ROUND_TRIP, FLOOR, took)
    await arena.clear(subject.collection)


async def _one_by_one(arena: Arena, subject: Subject, names: Sequence[str], results: Results) -> None:
    accepted, ran, canceled = [], [], []
    signs = [sign for sign in (subject.accepted, subject.running, subject.canceled) if sign is not None]
    async with watching(arena.client, *signs) as stopwatch:
        for name in names:
            began = time.perf_counter()
            await arena.client.send(subject.submission(name))
            accepted.append((await stopwatch.until(subject.accepted, [name]))[name] - began)
            if subject.running is not None:
                ran.append((await stopwatch.until(subject.running, [name]))[name] - began)
            began = time.perf_counter()
            await arena.client.send(subject.cancellation(name))
            canceled.append((await stopwatch.until(subject.canceled, [name]))[name] - began)
    _note(results, ACCEPTED, subject.name, accepted)
    if ran:
        _note(results, RUNNING, subject.name, ran)
    _note(results, CANCELED, subject.name, canceled)


def _note(results: Results, measure_of: str, subject: str, seconds: Sequence[float]) -> None:
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        results.add(SCENARIO, f"{measure_of}, {label}", subject, 1000 * percentile(seconds, share), "ms")
