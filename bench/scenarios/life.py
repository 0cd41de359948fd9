"""Complete lives of jobs, from submission to the end: the cost of each job in writes, reads and CPU time.

Excludes the log archive, whose cost depends on the run. Daemons acknowledge and finish at once.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from bench.behavior import Behavior
from bench.meters import cpu_seconds, used
from bench.statistics import exponent
from bench.stopwatch import Sign, watching
from bench.subjects import COMPLETED
from provisioner_devcluster.control_plane.binaries import Component
from support.cluster.api_metrics import Request, between, writes

if TYPE_CHECKING:
    from bench.arena import Arena
    from bench.contest import Contest, Product
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "life"
WRITES = "writes a job after its creation"
RESOURCES = ("provisionerjobs", "provisionerdaemons", "events", "configmaps")
CREATION = Request("POST", "provisionerjobs")
HEARTBEAT = Request("PATCH", "provisionerdaemons/status")
GROWTH = "exponent of {process}'s CPU against jobs"
OPERATOR = "operator"
API_SERVER = str(Component.API_SERVER)


def cpu(process: str, jobs: int) -> str:
    """Name of the measure for the CPU time of a process per job."""
    return f"CPU of {process} a job's life, burst of {jobs}"


async def measure(_arena: Arena, contest: Contest, plan: Plan, results: Results) -> None:
    """Run the rounds."""
    costs: defaultdict[tuple[str, str], defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for jobs in plan.lives:
        for number in range(plan.rounds_of(jobs)):
            for product in contest.products:
                spent = await _round(product, jobs, f"life-{jobs}-{number}", results)
                for process, seconds in spent.items():
                    costs[product.name, process][jobs].append(seconds)
    for (subject, process), by_size in costs.items():
        role = _role(process)
        if role in {OPERATOR, API_SERVER} and len(by_size) > 1:
            power = exponent({jobs: median(values) for jobs, values in by_size.items()})
            results.add(SCENARIO, GROWTH.format(process=role), subject, power, "")


def _role(process: str) -> str:
    """Return the process's name without its version, which is part of the subject's name."""
    return process.partition(" (")[0]


async def _round(product: Product, jobs: int, prefix: str, results: Results) -> dict[str, float]:
    arena, subject = product.arena, product.jobs(Behavior.FINISH)
    completed = Sign(subject.collection, COMPLETED)
    names = [f"{prefix}-{index}" for index in range(jobs)]
    async with watching(arena.client, completed) as stopwatch:
        await arena.quiet(subject.pids)
        pids = arena.pids | dict(subject.pids)
        requests, before = await arena.requests(), cpu_seconds(pids)
        sent = await arena.client.send_all([subject.submission(name) for name in names])
        moments = await stopwatch.until(completed, names)
        await arena.quiet(subject.pids)  # the controller has not observed the last ends yet
        costs = used(before, cpu_seconds(pids))
        counted = between(requests, await arena.requests(), *RESOURCES)
    results.add(
        SCENARIO, f"lives a second, burst of {jobs}", subject.name, jobs / (max(moments.values()) - sent[0]), "1/s"
    )
    for process, seconds in costs.items():
        measure_of = cpu(_role(process), jobs)
        results.add(SCENARIO, measure_of, subject.name, 1000 * seconds / jobs, "ms")
    for request, count in counted.items():
        results.add(
            SCENARIO, f"{request.verb} {request.resource} a job, burst of {jobs}", subject.name, count / jobs, ""
        )
    written = sum(writes(counted).values()) - counted[CREATION] - counted.get(HEARTBEAT, 0)
    results.add(SCENARIO, WRITES, subject.name, written / jobs, "")
    await arena.clear(subject.collection)
    return costs
