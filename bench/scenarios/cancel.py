"""Cancellation of many running jobs at once: the time from each cancel request to the phase Canceled, and its writes.

For a Job, the time until it is suspended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.statistics import percentile
from bench.stopwatch import watching
from support.cluster.api_metrics import Request, between, writes

if TYPE_CHECKING:
    from bench.arena import Arena
    from bench.contest import Contest
    from bench.plan import Plan
    from bench.results import Results
    from bench.subjects import Subject

SCENARIO = "cancel"
RESOURCES = ("provisionerjobs", "provisionerdaemons", "jobs", "workloads", "taskruns", "pods", "events", "configmaps")
HEARTBEAT = Request("PATCH", "provisionerdaemons/status")


def canceled(label: str, jobs: int) -> str:
    """Name of the measure for a percentile."""
    return f"cancel to canceled {label}, burst of {jobs}"


def writes_of(jobs: int) -> str:
    """Name of the measure for the writes of one cancel, the administrator's included."""
    return f"writes a cancel, burst of {jobs}"


async def measure(_arena: Arena, contest: Contest, plan: Plan, results: Results) -> None:
    """Run the rounds."""
    for jobs in plan.cancels:
        for number in range(plan.rounds_of(jobs)):
            for arena, subject in contest.holding():
                await _round(arena, subject, jobs, f"cancel-{jobs}-{number}", results)
            await contest.clear()


async def _round(arena: Arena, subject: Subject, jobs: int, prefix: str, results: Results) -> None:
    names = [f"{prefix}-{index}" for index in range(jobs)]
    begun = subject.running or subject.accepted
    async with watching(arena.client, begun, subject.canceled) as stopwatch:
        sent = await arena.client.send_all([subject.submission(name) for name in names])
        moments = await stopwatch.until(begun, names)
        results.add(
            SCENARIO, f"begun a second, burst of {jobs}", subject.name, jobs / (max(moments.values()) - sent[0]), "1/s"
        )
        await arena.quiet(subject.pids)
        requests = await arena.requests()
        sent = await arena.client.send_all([subject.cancellation(name) for name in names])
        moments = await stopwatch.until(subject.canceled, names)
        await arena.quiet(subject.pids)  # some write more after the sign
        counted = between(requests, await arena.requests(), *RESOURCES)
    written = sum(writes(counted).values()) - counted.get(HEARTBEAT, 0)
    results.add(SCENARIO, writes_of(jobs), subject.name, written / jobs, "")
    waits = [moments[name] - at for name, at in zip(names, sent, strict=True)]
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        results.add(SCENARIO, canceled(label, jobs), subject.name, 1000 * percentile(waits, share), "ms")
