"""The Job controller with its default limit of 20 requests per second, for comparison with an unchanged cluster.

One round at the end, because the controller must be restarted for it. No bar depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.arena import STOCK_BURST, STOCK_REQUESTS_PER_SECOND
from bench.statistics import percentile
from bench.stopwatch import watching
from bench.subjects import JOB, batch_jobs

if TYPE_CHECKING:
    from bench.arena import Arena
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "stock"
NAMESPACE = "stock"


async def measure(arena: Arena, plan: Plan, results: Results) -> None:
    """Submit one burst."""
    if not plan.stock_jobs:
        return
    arena.plane.restart_controller_manager(requests_per_second=STOCK_REQUESTS_PER_SECOND, burst=STOCK_BURST)
    arena.admin.run("create", "namespace", NAMESPACE)
    subject = batch_jobs(NAMESPACE, {})
    names = [f"job-{index}" for index in range(plan.stock_jobs)]
    async with watching(arena.client, subject.accepted) as stopwatch:
        # The first Pod is created only when the controller has filled its caches and the namespace has its ServiceAccount.
        await arena.client.send(subject.submission("first"))
        await stopwatch.until(subject.accepted, ["first"])
        sent = await arena.client.send_all([subject.submission(name) for name in names])
        moments = await stopwatch.until(subject.accepted, names)
    waits = [moments[name] - at for name, at in zip(names, sent, strict=True)]
    rate = len(names) / (max(moments.values()) - sent[0])
    subject_name = f"{JOB}, stock limits"
    results.add(SCENARIO, f"accepted a second, burst of {plan.stock_jobs}", subject_name, rate, "1/s")
    measure_of = f"submitted to accepted p99, burst of {plan.stock_jobs}"
    results.add(SCENARIO, measure_of, subject_name, 1000 * percentile(waits, 0.99), "ms")
