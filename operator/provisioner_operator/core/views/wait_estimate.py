"""How long a job is going to wait, by how long runs took of late. Pure.

Each slot that may take the job is freed when its run has taken as long as runs do, and then takes the next of the queue.
A run that takes longer than that is expected to take as long again as it has by now. It is a guess, and is given only where there is something to guess from.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.matching import satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.autoscaling import SHORTEST_RUN_SECONDS, RunTimes
from provisioner_operator.core.views.snapshot import Snapshot, ran


@dataclass(frozen=True, slots=True)
class Estimate:
    """A guess, and what it is made from."""

    seconds: float
    mean_run: float
    runs: int
    """How many runs the mean is of."""


def observed_runs(ended: Iterable[Job]) -> tuple[float | None, int]:
    """The mean of these runs in seconds, recent ones counting more; and how many there were."""
    times, count = RunTimes(), 0
    finished = [job for job in ended if job.started is not None and job.finished is not None]
    for job in sorted(finished, key=lambda job: job.finished or 0.0):
        seconds = ran(job, 0.0)
        if seconds is not None:
            times.observe(seconds)
            count += 1
    return times.mean, count


def estimate(job: Job, scene: Snapshot, ended: Iterable[Job]) -> Estimate | None:
    """When the waiting job is going to start; None if nothing is known to guess from, or it is not in the queue."""
    if job.uid not in scene.places:
        return None
    takers = scene.takers(job.demand)
    uids = {daemon.uid for daemon in takers}
    mean, runs = observed_runs(each for each in ended if each.assignment and each.assignment.daemon_uid in uids)
    if not takers or mean is None:
        return None
    free_at = _free_at(takers, scene, mean)
    for _ in range(_ahead(job, scene, takers)):
        heapq.heappush(free_at, heapq.heappop(free_at) + mean)
    return Estimate(free_at[0], mean, runs)


def _free_at(takers: Iterable[Daemon], scene: Snapshot, mean: float) -> list[float]:
    """In how many seconds each slot of these daemons is free."""
    slots: list[float] = []
    for daemon in takers:
        running = [job for job in scene.jobs.values() if job.assignment and job.assignment.daemon_uid == daemon.uid]
        rests = [_rest(ran(job, scene.now) or 0.0, mean) for job in running]
        free = max(0, daemon.capacity - scene.used(daemon))
        # A slot that is taken by what no job tells of any more is free when that is over: soon.
        unknown = max(0, daemon.capacity - free - len(rests))
        slots += [0.0] * free + rests[: daemon.capacity] + [SHORTEST_RUN_SECONDS] * unknown
    heapq.heapify(slots)
    return slots


def _rest(taken: float, mean: float) -> float:
    """How much longer a run takes that has taken so long."""
    return max(SHORTEST_RUN_SECONDS, mean - taken if taken < mean else taken)


def _ahead(job: Job, scene: Snapshot, takers: Iterable[Daemon]) -> int:
    """How many jobs go first for these daemons."""
    supplies = {daemon.supply for daemon in takers}
    rivals = [jobs for demand, jobs in scene.queues.items() if any(satisfies(supply, demand) for supply in supplies)]
    mine = queue_key(job)
    return sum(1 for jobs in rivals for each in jobs if queue_key(each) < mine)
