"""Estimate how long a job is going to wait, from the duration of recent runs. Pure.

Each slot that could run the job becomes free when its run has lasted as long as the mean run, and then takes the next job
of the queue. A run that has lasted longer than the mean is expected to last as long again. Without any finished run on
matching daemons there is no estimate.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.autoscaling import SHORTEST_RUN_SECONDS, RunTimes
from provisioner_operator.core.views.queue_view import QueueView
from provisioner_operator.core.views.snapshot import ran


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


def estimate(job: Job, queue: QueueView, ended: Iterable[Job]) -> Estimate | None:
    """Estimate when the waiting job is going to start; None if it is not in the queue, or nothing is known to estimate from."""
    if queue.place_of(job.uid) is None:
        return None
    takers = queue.takers(job.demand)
    uids = {daemon.uid for daemon in takers}
    mean, runs = observed_runs(each for each in ended if each.assignment and each.assignment.daemon_uid in uids)
    if not takers or mean is None:
        return None
    seconds = _start_after(queue.count_before(job, takers), _free_at(takers, queue, mean), mean)
    return Estimate(seconds, mean, runs)


def _free_at(takers: Iterable[Daemon], queue: QueueView, mean: float) -> list[float]:
    """Return the seconds until each slot of these daemons is free, as a heap."""
    slots: list[float] = []
    for daemon in takers:
        rests = [_rest(ran(job, queue.now) or 0.0, mean) for job in queue.jobs_on(daemon)]
        free = max(0, daemon.capacity - queue.used(daemon))
        # A slot that is occupied although no job runs there is being cleaned up: it is free soon.
        unknown = max(0, daemon.capacity - free - len(rests))
        slots += [0.0] * free + rests[: daemon.capacity] + [SHORTEST_RUN_SECONDS] * unknown
    heapq.heapify(slots)
    return slots


def _start_after(jobs: int, free_at: list[float], mean: float) -> float:
    """Return the seconds until a slot is free for the job that comes after so many others; `free_at` is a heap."""
    latest = max(free_at)
    while jobs and free_at[0] + mean < latest:
        heapq.heapreplace(free_at, free_at[0] + mean)
        jobs -= 1
    # No slot is free more than a run before another, so each round gives every slot one job.
    rounds, rest = divmod(jobs, len(free_at))
    return sorted(free_at)[rest] + rounds * mean


def _rest(taken: float, mean: float) -> float:
    """Estimate the remaining seconds of a run."""
    return max(SHORTEST_RUN_SECONDS, mean - taken if taken < mean else taken)
