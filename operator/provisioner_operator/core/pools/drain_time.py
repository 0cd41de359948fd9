"""Derive the time that runs of a pool get to end when their Pod is terminated, and find jobs that may need longer.

kubelet sends one SIGTERM and kills after the grace period. In between, a daemon waits for its runs, then interrupts them,
early enough for each to stop in order and for its end to be written. Called by `pod_builder` and the pool reconciler.
"""

from dataclasses import dataclass

from provisioner_operator.core.model.records import Job
from provisioner_operator.core.pools.records import Pool

REPORT_SECONDS = 30
"""Seconds kept for archiving the log and writing the end, after the grace period of the interrupt."""


@dataclass(frozen=True, slots=True)
class ShortDrain:
    """A pool whose Pods may be killed before the job has had the time that its deadline gives it."""

    pool: Pool
    job: Job

    @property
    def needed(self) -> int:
        """The termination grace period, in seconds, that would suffice."""
        return int(self.job.active_deadline) + self.pool.cancel_grace + REPORT_SECONDS


class ShortDrains:
    """The pools whose grace period was found too short. Each is news once, and again for a longer deadline or another grace."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}
        """Time to drain and longest deadline that exceeds it, by the pool's uid."""

    def started(self, job: Job, pool: Pool) -> ShortDrain | None:
        """Observe the start of a job on a Pod of the pool; return what is news about it."""
        drain = drain_seconds(pool)
        if job.active_deadline <= drain:
            return None
        known_drain, longest = self._known.get(pool.uid, (drain, 0.0))
        if known_drain == drain and job.active_deadline <= longest:
            return None
        self._known[pool.uid] = (drain, job.active_deadline)
        return ShortDrain(pool, job)

    def pool_deleted(self, uid: str) -> None:
        """Forget a pool that is gone."""
        self._known.pop(uid, None)


def drain_seconds(pool: Pool) -> int:
    """Return how long a terminated Pod of the pool waits for its runs before it interrupts them."""
    return max(pool.template.termination_grace - pool.cancel_grace - REPORT_SECONDS, 0)
