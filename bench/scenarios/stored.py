"""Jobs that exist when the operator starts, pending or ended: the time to its first assignment, and its peak memory.

The pending jobs match no daemon, and their status says so; one more job matches a daemon and waits for the operator. It has a workspace, and
the daemon is at rest. Beside a run, such a job waits until two heartbeats have shown what the daemon runs; that wait has a row of its own.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bench.arena import LANE, Arena
from bench.behavior import Behavior
from bench.meters import cpu_seconds, peak_memory
from bench.seeds import multiply
from bench.stopwatch import Sign, watching
from bench.subjects import COMPLETED, jobs_without_workspace, provisioner_jobs
from provisioner_operator.kube import paths

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "stored"
PENDING, ENDED = "pending", "ended but kept"
LARGEST_WITH_ALL_ROUNDS = 10_000
"""Larger starts are measured only twice, because they take long."""
MOST_BESIDE_A_RUN = 1_000
"""Starts of at most so many jobs are measured beside a run as well: the wait for its daemon's heartbeats does not depend on their number."""
_POLL_SECONDS = 0.5


def memory(jobs: int, state: str) -> str:
    """Name of the measure for the operator's peak memory."""
    return f"peak memory of the operator, {jobs} {state}"


def restart(jobs: int, state: str) -> str:
    """Name of the measure for the time from the start of the process to its first assignment."""
    return f"start to first assignment, {jobs} {state}"


async def measure(arena: Arena, plan: Plan, results: Results) -> None:
    """Add jobs and restart the operator, in one namespace for pending jobs and in another for ended ones."""
    for state, namespace in ((PENDING, "stored-pending"), (ENDED, "stored-ended")):
        async with AsyncExitStack() as stack:
            templates = {}
            for name, each in arena.versions.items():
                each.namespace(namespace)
                await each.daemons(namespace, 1, capacity=100)
                await stack.enter_async_context(each.hollow(namespace))
                templates[name] = await a_template(each, namespace, state)
            for fewer, jobs in zip((0, *plan.stored), plan.stored, strict=False):
                for name, each in arena.versions.items():
                    names = [f"stored-{number}" for number in range(fewer, jobs)]
                    size = await multiply(each.plane, namespace, templates[name], names)
                    await each.quiet({})
                    results.add(SCENARIO, f"bytes of a job in etcd, {state}", name, size, "B")
                for number in range(plan.rounds if jobs <= LARGEST_WITH_ALL_ROUNDS else 2):
                    for name, each in arena.versions.items():
                        await _start(each, namespace, jobs, state, number, results, name)
                if jobs <= MOST_BESIDE_A_RUN:
                    for name, each in arena.versions.items():
                        await _start_beside_a_run(each, namespace, jobs, state, results, name)


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


async def _start(
    arena: Arena, namespace: str, jobs: int, state: str, number: int, results: Results, version: str
) -> None:
    await _until_daemon(arena, namespace, at_rest=True)
    subject = provisioner_jobs(namespace, Behavior.FINISH)
    name = f"probe-{jobs}-{number}"
    await arena.client.send(subject.submission(name))
    async with watching(arena.client, subject.accepted) as stopwatch:
        began = time.perf_counter()
        with arena.operator(namespace) as operator:
            assigned = (await stopwatch.until(subject.accepted, [name]))[name]
            results.add(SCENARIO, restart(jobs, state), version, assigned - began, "s")
            await arena.quiet({"operator": operator.pid})
            spent = cpu_seconds({"operator": operator.pid})["operator"]
            results.add(SCENARIO, f"CPU of the operator's start, {jobs} {state}", version, spent, "s")
            results.add(SCENARIO, memory(jobs, state), version, peak_memory(operator.pid) / 1e6, "MB")


async def _start_beside_a_run(
    arena: Arena, namespace: str, jobs: int, state: str, results: Results, version: str
) -> None:
    """Start while the daemon runs something: a job of a workspace waits for two of its heartbeats, one without does not."""
    held, build = (provisioner_jobs(namespace, behavior) for behavior in (Behavior.HOLD, Behavior.FINISH))
    free = jobs_without_workspace(namespace, Behavior.FINISH)
    running, waiting, unbound = f"run-{jobs}", f"beside-{jobs}", f"free-{jobs}"
    with arena.operator(namespace):
        await arena.client.send(held.submission(running))
        await _until_daemon(arena, namespace, at_rest=False)
    await arena.client.send_all([build.submission(waiting), free.submission(unbound)])
    async with watching(arena.client, build.accepted) as stopwatch:
        began = time.perf_counter()
        with arena.operator(namespace):
            assigned = await stopwatch.until(build.accepted, [waiting, unbound])
            for what, name in (("a run", waiting), ("a run, without a workspace", unbound)):
                results.add(SCENARIO, f"{restart(jobs, state)}, beside {what}", version, assigned[name] - began, "s")
            await arena.client.send(held.cancellation(running))
            await _until_daemon(arena, namespace, at_rest=True)


async def _until_daemon(arena: Arena, namespace: str, *, at_rest: bool) -> None:
    """Wait until the status of the only daemon shows that it is at rest, or that it runs something."""
    while True:
        (daemon,) = (await arena.client.ask(paths.daemons(namespace)))["items"]
        status = daemon.get("status", {})
        if (status.get("idleHeartbeatSeconds", 0) > 0) if at_rest else status.get("currentJobs"):
            return
        await asyncio.sleep(_POLL_SECONDS)
