"""Three people and two slots: one of them submits a hundred jobs, then the others one each. Their waits, without and with a policy.

The runs last as long as a hollow daemon pauses; everything else is the product on a real control plane. A wait lasts from the request
until a watch shows that the job runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.behavior import Behavior
from bench.plan import OURS
from bench.stopwatch import Sign, watching
from bench.subjects import COMPLETED, RUNNING, provisioner_jobs
from provisioner_operator.kube import paths
from support.builders.manifests import a_queue_manifest
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from bench.arena import Arena
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "fairness"
NAMESPACE = "fairness"
JOBS, SLOTS = 100, 2
OTHERS = ("bob", "cleo")
WITHOUT = f"longest wait of two people behind {JOBS} jobs of a third, {SLOTS} slots"
WITH = f"{WITHOUT}, fair by initiator"


async def measure(arena: Arena, plan: Plan, results: Results) -> None:
    """Run the rounds: in each without a policy first."""
    arena.namespace(NAMESPACE)
    admin = Kubectl(arena.plane.kubeconfig, NAMESPACE)
    await arena.daemons(NAMESPACE, 1, capacity=SLOTS)
    async with arena.hollow(NAMESPACE) as hollow:
        with arena.operator(NAMESPACE) as operator:
            pids = {"operator": operator.pid, "hollow daemons": hollow}
            await _warm_up(arena)
            for _ in range(plan.rounds):
                await arena.quiet(pids)
                results.add(SCENARIO, WITHOUT, OURS, await _longest_wait(arena), "s")
                admin.create(a_queue_manifest(fairness={"by": "Initiator"}))
                admin.run("wait", "pq", "default", "--for=condition=Ready", "--timeout=60s")
                await arena.quiet(pids)
                results.add(SCENARIO, WITH, OURS, await _longest_wait(arena), "s")
                admin.run("delete", "pq", "default")


async def _warm_up(arena: Arena) -> None:
    """Run one job: after its start the operator holds builds back until the daemon has reported what it runs."""
    subject = provisioner_jobs(NAMESPACE, Behavior.FINISH)
    completed = Sign(subject.collection, COMPLETED)
    async with watching(arena.client, completed) as stopwatch:
        await arena.client.send(subject.submission("first"))
        await stopwatch.until(completed, ["first"])
    await arena.clear(subject.collection)


async def _longest_wait(arena: Arena) -> float:
    collection = paths.jobs(NAMESPACE)
    running, completed = Sign(collection, RUNNING), Sign(collection, COMPLETED)
    many = [f"ann-{number}" for number in range(JOBS)]
    people = {name: provisioner_jobs(NAMESPACE, Behavior.PAUSE, initiator=name) for name in ("ann", *OTHERS)}
    async with watching(arena.client, running, completed) as stopwatch:
        await arena.client.send_all([people["ann"].submission(name) for name in many])
        asked = {}
        for name in OTHERS:
            asked[name] = time.perf_counter()
            await arena.client.send(people[name].submission(name))
        began = await stopwatch.until(running, OTHERS)
        await stopwatch.until(completed, [*many, *OTHERS])
    await arena.clear(collection)
    return max(began[name] - asked[name] for name in OTHERS)
