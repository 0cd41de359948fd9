"""Jobs that exist when the operator starts, pending or ended: the time to its first assignment, and its peak memory.

The pending jobs match no daemon, and their status says so; one more job matches a daemon and waits for the operator.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.arena import LANE, Arena
from bench.behavior import Behavior
from bench.meters import cpu_seconds, peak_memory
from bench.plan import OURS
from bench.seeds import multiply
from bench.stopwatch import Sign, watching
from bench.subjects import COMPLETED, provisioner_jobs

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "stored"
PENDING, ENDED = "pending", "ended but kept"
LARGEST_WITH_ALL_ROUNDS = 10_000
"""Larger starts are measured only twice, because they take long."""


def memory(jobs: int, state: str) -> str:
    """Name of the measure for the operator's peak memory."""
    return f"peak memory of the operator, {jobs} {state}"


def restart(jobs: int, state: str) -> str:
    """Name of the measure for the time from the start of the process to its first assignment."""
    return f"start to first assignment, {jobs} {state}"


async def measure(arena: Arena, plan: Plan, results: Results) -> None:
    """Add jobs and restart the operator, in one namespace for pending jobs and in another for ended ones."""
    for state, namespace in ((PENDING, "stored-pending"), (ENDED, "stored-ended")):
        arena.namespace(namespace)
        await arena.daemons(namespace, 1, capacity=100)
        async with arena.hollow(namespace):
            template = await a_template(arena, namespace, state)
            for fewer, jobs in zip((0, *plan.stored), plan.stored, strict=False):
                names = [f"stored-{number}" for number in range(fewer, jobs)]
                size = await multiply(arena.plane, namespace, template, names)
                await arena.quiet({})
                results.add(SCENARIO, f"bytes of a job in etcd, {state}", OURS, size, "B")
                for number in range(plan.rounds if jobs <= LARGEST_WITH_ALL_ROUNDS else 2):
                    await _start(arena, namespace, jobs, state, number, results)


async def a_template(arena: Arena, namespace: str, state: str) -> str:
    """Bring one job to the state with the product itself, and return its name; the other jobs are copies of it."""
    name = "template-" + state.partition(" ")[0]
    if state == PENDING:
        subject = provisioner_jobs(namespace, Behavior.IGNORE, tags={LANE: "nobody's"})
        sign = Sign(subject.collection, "status.reason == 'NoMatchingDaemon'")
    else:
        subject = provisioner_jobs(namespace, Behavior.FINISH)
        sign = Sign(subject.collection, COMPLETED)
    with arena.operator(namespace):
        async with watching(arena.client, sign) as stopwatch:
            await arena.client.send(subject.submission(name))
            await stopwatch.until(sign, [name])
    return name


async def _start(arena: Arena, namespace: str, jobs: int, state: str, number: int, results: Results) -> None:
    subject = provisioner_jobs(namespace, Behavior.FINISH)
    name = f"probe-{jobs}-{number}"
    await arena.client.send(subject.submission(name))
    async with watching(arena.client, subject.accepted) as stopwatch:
        began = time.perf_counter()
        with arena.operator(namespace) as operator:
            assigned = (await stopwatch.until(subject.accepted, [name]))[name]
            results.add(SCENARIO, restart(jobs, state), OURS, assigned - began, "s")
            await arena.quiet({"operator": operator.pid})
            spent = cpu_seconds({"operator": operator.pid})["operator"]
            results.add(SCENARIO, f"CPU of the operator's start, {jobs} {state}", OURS, spent, "s")
            results.add(SCENARIO, memory(jobs, state), OURS, peak_memory(operator.pid) / 1e6, "MB")
