"""Estimate how long a job is going to wait, from the duration of recent runs. Pure.

Each slot that could run the job becomes free when its run has lasted as long as the mean run, and then takes the next job
of the queue. A run that has lasted longer than the mean is expected to last as long again. Without any finished run on
matching daemons there is no estimate.
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
    """An estimate, and its basis."""

    seconds: float
    mean_run: float
    runs: int
    """Number of runs in the mean."""


def observed_runs(ended: Iterable[Job]) -> tuple[float | None, int]:
    """Return the mean of these runs in seconds, recent ones weighing more; and their number."""
    times = RunTimes()
    runs = sorted((job.finished, job.started) for job in ended if job.started is not None and job.finished is not None)
    for finished, started in runs:
        times.observe(finished - started)
    return times.mean, len(runs)


def estimate(job: Job, snapshot: Snapshot, ended: Iterable[Job]) -> Estimate | None:
    """Estimate when the waiting job is going to start; None if it is not in the queue, or nothing is known to estimate from."""
    if job.uid not in snapshot.places:
        return None
    takers = snapshot.takers(job.demand)
    uids = {daemon.uid for daemon in takers}
    mean, runs = observed_runs(each for each in ended if each.assignment and each.assignment.daemon_uid in uids)
    if not takers or mean is None:
        return None
    free_at = _free_at(takers, snapshot, mean)
    for _ in range(_ahead(job, snapshot, takers)):
        heapq.heappush(free_at, heapq.heappop(free_at) + mean)
    return Estimate(free_at[0], mean, runs)


def _free_at(takers: Iterable[Daemon], snapshot: Snapshot, mean: float) -> list[float]:
    """Return the seconds until each slot of these daemons is free, as a heap."""
    slots: list[float] = []
    for daemon in takers:
        running = [job for job in snapshot.jobs.values() if job.assignment and job.assignment.daemon_uid == daemon.uid]
        rests = [_rest(ran(job, snapshot.now) or 0.0, mean) for job in running]
        free = max(0, daemon.capacity - snapshot.used(daemon))
        # A slot that is occupied although no job runs there is being cleaned up: it is free soon.
        unknown = max(0, daemon.capacity - free - len(rests))
        slots += [0.0] * free + rests[: daemon.capacity] + [SHORTEST_RUN_SECONDS] * unknown
    heapq.heapify(slots)
    return slots


def _rest(taken: float, mean: float) -> float:
    """Estimate the remaining seconds of a run."""
    return max(SHORTEST_RUN_SECONDS, mean - taken if taken < mean else taken)


def _ahead(job: Job, snapshot: Snapshot, takers: Iterable[Daemon]) -> int:
    """Count the jobs that these daemons run first."""
    supplies = {daemon.supply for daemon in takers}
    rivals = [jobs for demand, jobs in snapshot.queues.items() if any(satisfies(supply, demand) for supply in supplies)]
    mine = queue_key(job)
    return sum(1 for jobs in rivals for each in jobs if queue_key(each) < mine)
