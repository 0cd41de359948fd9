"""Times since which waiting jobs may be assigned: the latest of creation, resumption and the release of the workspace.

Kept by the job reconciler for its metrics; no decision depends on it. Only jobs that were held back have an entry. A new
leader knows of none, so a job that was held back before counts from its creation: too long, never too short.
"""

from provisioner_operator.core.model.records import Job


class ClaimableTimes:
    """Wall-clock times from which jobs that were held back may be assigned."""

    def __init__(self) -> None:
        self._since: dict[str, float | None] = {}
        """Times by the job's uid; None while it is held back."""

    def hold(self, job: Job) -> None:
        """Record that the job is suspended, or that another job or run of its workspace goes first."""
        self._since[job.uid] = None

    def free(self, job: Job, now: float) -> None:
        """Record that nothing but a missing daemon holds the job back any more."""
        if self._since.get(job.uid, now) is None:
            self._since[job.uid] = now

    def of(self, job: Job) -> float:
        """Return the time since which the job may be assigned: its creation, unless it was held back."""
        return max(job.created, self._since.get(job.uid) or job.created)

    def forget(self, uid: str) -> None:
        """Forget a job that ended or was deleted."""
        self._since.pop(uid, None)

    def clear(self) -> None:
        """Forget all jobs: another controller may have decided about them."""
        self._since.clear()
