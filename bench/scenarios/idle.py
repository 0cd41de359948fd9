"""Idle cluster with only heartbeats: the product's requests to the API server, and their cost.

The cluster has ten thousand ended jobs, a thousand that no daemon matches, and six hundred daemons.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bench.meters import cpu_seconds, used
from bench.scenarios.stored import ENDED, PENDING, a_template
from bench.seeds import multiply
from support.cluster.api_metrics import Request, between, writes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.arena import Arena
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "idle"
NAMESPACE = "idle"
ENDED_JOBS, WAITING_JOBS, DAEMONS = 10_000, 1_000, 600
RESOURCES = (
    "provisionerjobs",
    "provisionerdaemons",
    "provisionerpools",
    "provisionerqueues",
    "pods",
    "events",
    "configmaps",
)
HEARTBEAT = Request("PATCH", "provisionerdaemons/status")
WRITES, READS = "writes a minute, idle", "reads a minute beside watches, idle"
HEARTBEATS = "heartbeats a minute, idle"
CPU_OF = "CPU of {process} a minute, idle"
MINUTE = 60
_SETTLED_SECONDS = 3.0
_AT_REST_SECONDS = 30.0
"""Seconds after the start of the controller until each daemon has reported twice, at its usual interval of 10 s, and so reports less often,
and until the controller reads each once, because it has not heard it twice."""


async def measure(arena: Arena, plan: Plan, results: Results) -> None:
    """Measure one idle period, and one of the other version."""
    for name, each in arena.versions.items():
        await _period(each, plan, results, name)


async def _period(arena: Arena, plan: Plan, results: Results, name: str) -> None:
    namespace = f"{NAMESPACE}-{name}"
    arena.namespace(namespace)
    await arena.daemons(namespace, DAEMONS, capacity=1)
    async with arena.hollow(namespace) as hollow:
        for state, count in ((ENDED, ENDED_JOBS), (PENDING, WAITING_JOBS)):
            template = await a_template(arena, namespace, state)
            prefix = state.partition(" ")[0]
            await multiply(arena.plane, namespace, template, [f"{prefix}-{number}" for number in range(count)])
        with arena.operator(namespace) as operator:
            operator.await_record(key="port")
            await asyncio.sleep(_AT_REST_SECONDS)
            await _until_nothing_is_read(arena)
            pids = arena.pids | {"operator": operator.pid, "hollow daemons": hollow}
            requests, before = await arena.requests(), cpu_seconds(pids)
            await asyncio.sleep(plan.idle_seconds)
            costs = used(before, cpu_seconds(pids))
            counted = between(requests, await arena.requests(), *RESOURCES)
    share = MINUTE / plan.idle_seconds
    written = writes(counted)
    heartbeats = written.pop(HEARTBEAT, 0)
    for request, count in counted.items():
        results.add(SCENARIO, f"{request.verb} {request.resource} a minute, idle", name, share * count, "")
    for measure_of, count in ((WRITES, sum(written.values())), (READS, _reads(counted)), (HEARTBEATS, heartbeats)):
        results.add(SCENARIO, measure_of, name, share * count, "")
    for process, seconds in costs.items():
        results.add(SCENARIO, CPU_OF.format(process=process), name, share * seconds, "s")


async def _until_nothing_is_read(arena: Arena) -> None:
    """Wait for the end of the operator's start; because of heartbeats it never becomes fully idle."""
    while True:
        before = await arena.requests()
        await asyncio.sleep(_SETTLED_SECONDS)
        if not _reads(between(before, await arena.requests(), *RESOURCES)):
            return


def _reads(counted: Mapping[Request, int]) -> int:
    return sum(count for request, count in counted.items() if request.verb in {"GET", "LIST"})
