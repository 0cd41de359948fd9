"""Estimate when the waiting jobs of a namespace start: the median and the 90th percentile of many courses that events may take.

One estimate serves all jobs of the namespace. The courses are drawn from durations of past runs by a seeded generator, so
that equal situations have equal estimates. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isfinite
from random import Random

from provisioner_operator.core.estimates.course import Course
from provisioner_operator.core.estimates.layout import Layout
from provisioner_operator.core.estimates.situation import Situation, WaitingJob
from provisioner_operator.core.model.matching import satisfies

MOST_JOBS = 2_000
"""Jobs of a namespace whose starts are estimated: the first in the order of the policy."""
_STEPS = 60_000
"""Starts that are played for one estimate at most: some tenths of a second."""
_LEAST_ARRIVALS = 10
"""Jobs that came from which on it is known how others may come."""
_PASTS, _MOST = 30, 200
"""Pasts that are drawn, each for at least one course, and most courses. Long queues need fewer: their waits are sums of many runs."""


@dataclass(frozen=True, slots=True)
class StartEstimate:
    """Seconds until a job starts."""

    p50: float
    """Median: half of such jobs start sooner."""
    p90: float
    """Nine of ten such jobs start sooner."""
    runs: int
    """Past runs on which it rests: the fewest behind the duration of any run before the job; 0 if it starts at once."""


def estimate_starts(situation: Situation) -> dict[str, StartEstimate]:
    """Estimate the starts of the waiting jobs by uid; those of which too little is known are missing."""
    if not situation.waiting:
        return {}
    layout = Layout(situation)
    chance = Random(0)  # noqa: S311 - an estimate, no secret
    starts: list[list[float]] = []
    # Pasts that might have been observed instead: how little is known of the durations counts, too.
    pasts = [{key: each.resampled(chance) for key, each in layout.histories.items()} for _ in range(_PASTS)]
    for number in range(max(_PASTS, min(_MOST, _STEPS // len(situation.waiting)))):
        course = Course(layout, pasts[number % _PASTS], chance)
        course.play()
        starts.append(course.starts)
    times = (sorted(each) for each in zip(*starts, strict=True))
    found = zip(situation.waiting, times, _fewest_runs(situation), strict=True)
    estimates = ((job, _estimate(each, runs)) for job, each, runs in found)
    return {job.uid: each for job, each in estimates if each is not None and _is_known(situation, job, each)}


def _estimate(times: list[float], runs: int) -> StartEstimate | None:
    p50, p90 = (times[ceil(share * len(times)) - 1] for share in (0.5, 0.9))
    return StartEstimate(p50, p90, runs if p90 > 0 else 0) if isfinite(p90) else None


def _fewest_runs(situation: Situation) -> Iterator[int]:
    """Yield the fewest runs behind any duration of a job that goes before each waiting job."""
    known = (run.job.durations for run in situation.runs)
    fewest = min((len(each) for each in known if each is not None), default=0)
    for job in situation.waiting:
        yield fewest
        if job.durations is not None:
            fewest = min(fewest or len(job.durations), len(job.durations))


def _is_known(situation: Situation, job: WaitingJob, found: StartEstimate) -> bool:
    """Return whether all is known on which the start depends: how daemons start where a pool grows, how jobs come where they overtake."""
    if found.p90 == 0:
        return True
    if situation.is_overtaken and len(situation.arrivals) < _LEAST_ARRIVALS:
        return False
    return not any(
        pool.start is None and pool.may_change and satisfies(pool.servers.supply, job.demand)
        for pool in situation.pools
    )
