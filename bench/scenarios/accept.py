"""Burst of jobs: the rate at which they are accepted, compared with the API server's maximum.

A job is accepted when it is assigned to a daemon; a Job, when its Pod is created. The baseline creates the same objects and
sends the same patches with the minimal client, over as many connections as the operator has writers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.behavior import Behavior
from bench.contest import GATE
from bench.floor import FLOOR, assignment
from bench.meters import cpu_seconds, used
from bench.statistics import percentile
from bench.stopwatch import watching
from bench.subjects import provisioner_jobs

if TYPE_CHECKING:
    from bench.arena import Arena
    from bench.contest import Contest, Product
    from bench.plan import Plan
    from bench.results import Results
    from bench.subjects import Subject

SCENARIO = "accept"
ASSIGNMENTS = "assignments a second, backlog"
PATCHES = "conditional status patches a second"
OPEN_CAPACITY = 1000
"""Maximum capacity of a daemon."""


def accepted_rate(jobs: int) -> str:
    """Name of the measure for a burst of this size."""
    return f"accepted a second, burst of {jobs}"


async def measure(arena: Arena, contest: Contest, plan: Plan, results: Results) -> None:
    """Run the rounds."""
    arena.namespace("floor")
    for number in range(plan.rounds):
        await _floor(arena, plan.backlog, results)
        for product in contest.products:
            await _backlog(product, plan.backlog, number, results)
    for jobs in plan.bursts:
        for number in range(plan.rounds_of(jobs)):
            for place, subject in contest.accepting():
                await _burst(place, subject, jobs, f"burst-{jobs}-{number}", results)
            await contest.clear()


async def _floor(arena: Arena, jobs: int, results: Results) -> None:
    subject = provisioner_jobs("floor", Behavior.IGNORE, name=FLOOR, tags=GATE)
    names = [f"job-{number}" for number in range(jobs)]
    await arena.quiet({})
    began = time.perf_counter()
    await arena.client.send_all([subject.submission(name) for name in names])
    results.add(SCENARIO, "creations a second", FLOOR, jobs / (time.perf_counter() - began), "1/s")
    page = await arena.client.ask(subject.collection)
    patches = [assignment(body) for body in page["items"]]
    async with watching(arena.client, subject.accepted) as stopwatch:
        await arena.quiet({})
        before = cpu_seconds(arena.pids)
        began = time.perf_counter()
        await arena.as_operator.send_all(patches)
        moments = await stopwatch.until(subject.accepted, names)
        results.add(SCENARIO, PATCHES, FLOOR, jobs / (max(moments.values()) - began), "1/s")
        for process, seconds in used(before, cpu_seconds(arena.pids)).items():
            results.add(SCENARIO, f"CPU of {process} a patch", FLOOR, 1000 * seconds / jobs, "ms")
    await arena.clear(subject.collection)


async def _backlog(product: Product, jobs: int, number: int, results: Results) -> None:
    """Let jobs wait for busy daemons, then raise the capacity for all of them at once."""
    arena, subject = product.arena, product.gated
    names = [f"backlog-{number}-{index}" for index in range(jobs)]
    async with watching(arena.client, subject.accepted) as stopwatch:
        await arena.client.send_all([subject.submission(name) for name in names])
        await arena.quiet(subject.pids)
        pids = arena.pids | dict(subject.pids)
        before = cpu_seconds(pids)
        began = time.perf_counter()
        await product.set_gates(OPEN_CAPACITY)
        moments = await stopwatch.until(subject.accepted, names)
        results.add(SCENARIO, ASSIGNMENTS, subject.name, jobs / (max(moments.values()) - began), "1/s")
        for process, seconds in used(before, cpu_seconds(pids)).items():
            results.add(SCENARIO, f"CPU of {process} an assignment", subject.name, 1000 * seconds / jobs, "ms")
    await product.set_gates(1)
    await arena.clear(subject.collection)


async def _burst(arena: Arena, subject: Subject, jobs: int, prefix: str, results: Results) -> None:
    names = [f"{prefix}-{index}" for index in range(jobs)]
    async with watching(arena.client, subject.accepted) as stopwatch:
        await arena.quiet(subject.pids)
        pids = arena.pids | dict(subject.pids)
        before = cpu_seconds(pids)
        sent = await arena.client.send_all([subject.submission(name) for name in names])
        moments = await stopwatch.until(subject.accepted, names)
        costs = used(before, cpu_seconds(pids))
    waits = [moments[name] - at for name, at in zip(names, sent, strict=True)]
    results.add(SCENARIO, accepted_rate(jobs), subject.name, jobs / (max(moments.values()) - sent[0]), "1/s")
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        measure = f"submitted to accepted {label}, burst of {jobs}"
        results.add(SCENARIO, measure, subject.name, 1000 * percentile(waits, share), "ms")
    for process, seconds in costs.items():
        results.add(SCENARIO, f"CPU of {process} a job, burst of {jobs}", subject.name, 1000 * seconds / jobs, "ms")
