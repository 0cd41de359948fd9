"""Retention by outcome: the ended jobs of a namespace that are beyond the numbers which its policy keeps. Pure.

Used by the cache of jobs. Each number counts on its own, among the jobs that exist: those that ended last are kept. Nothing is
remembered of a job that is gone, so that a controller which starts anew decides as its predecessor did; and one that does not know
all jobs yet deletes too few, never too many.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, Phase
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.records import Job


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """Numbers of ended jobs that a namespace keeps; None keeps all."""

    completed: int | None = None
    failed: int | None = None
    """Number of those that failed or were canceled."""
    per_workspace: int | None = None
    """Number of those of each workspace, however they ended."""
    run_seconds: float = 0
    """Time for which a run is kept after its end, whatever the numbers: what it used counts for the shares of groups."""


@dataclass(frozen=True, slots=True)
class PastJob:
    """An ended job, as far as its retention depends on it."""

    uid: str
    finished: float
    completed: bool
    ran: bool
    workspace: str | None = None


def past_job(job: Job) -> PastJob | None:
    """Return what the history needs of an ended job; None if only its own time to live deletes it.

    A kept plan goes with its job, and may be approved until then. Of the checks for drift of a workspace, the last is gone before
    the next one ends, and its result may not be recorded yet.
    """
    if job.finished is None or job.keeps_plan or job.background_reason is BackgroundWork.DRIFT:
        return None
    completed = job.phase is Phase.COMPLETED
    return PastJob(job.uid, job.finished, completed, job.started is not None, job.workspace)


class History:
    """Ended jobs of one namespace that any of its numbers is about.

    Changes return the uids of the jobs that are beyond a number since, or not any more.
    """

    def __init__(self, limits: HistoryLimits) -> None:
        self.limits = limits
        self._jobs: dict[str, PastJob] = {}
        self._outcomes = {
            completed: _Latest(most)
            for completed, most in ((True, limits.completed), (False, limits.failed))
            if most is not None
        }
        """Jobs that completed, and those that did not, if their number is limited."""
        self._workspaces: dict[str, _Latest] = {}
        """Jobs of each workspace, if their number is limited."""

    def __contains__(self, uid: str) -> bool:
        """Return whether any number is about the job."""
        return uid in self._jobs

    def jobs(self) -> Iterator[PastJob]:
        """Iterate over the jobs."""
        return iter(self._jobs.values())

    def put(self, job: PastJob) -> list[str]:
        """Add a job, whose end is final."""
        if job.uid in self._jobs:
            return []
        if self.limits.per_workspace is not None and job.workspace is not None:
            self._workspaces.setdefault(job.workspace, _Latest(self.limits.per_workspace))
        rankings = self._rankings_of(job)
        if not rankings:
            return []
        self._jobs[job.uid] = job
        return [uid for ranking in rankings if (uid := ranking.put(job)) is not None]

    def discard(self, uid: str) -> list[str]:
        """Remove a job that is gone, or is being deleted."""
        job = self._jobs.pop(uid, None)
        if job is None:
            return []
        changed = [again for ranking in self._rankings_of(job) if (again := ranking.discard(uid)) is not None]
        if job.workspace in self._workspaces and not self._workspaces[job.workspace]:
            del self._workspaces[job.workspace]
        return changed

    def due(self, uid: str) -> float | None:
        """Return the wall-clock time from which the job is to be deleted; None while it is kept."""
        job = self._jobs.get(uid)
        if job is None or not any(ranking.is_beyond(uid) for ranking in self._rankings_of(job)):
            return None
        return job.finished + (self.limits.run_seconds if job.ran else 0)

    def _rankings_of(self, job: PastJob) -> list["_Latest"]:
        found = (self._outcomes.get(job.completed), self._workspaces.get(job.workspace or ""))
        return [ranking for ranking in found if ranking is not None]


_End = tuple[float, str]
"""Time of a job's end, and its uid, which orders those that ended at the same time."""


@dataclass(frozen=True, slots=True)
class _LatestFirst:
    """An end that comes before all earlier ones."""

    end: _End

    def __lt__(self, other: "_LatestFirst") -> bool:
        return other.end < self.end


class _Latest:
    """Jobs by their ends: as many of the latest as are kept, and those beyond."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: KeyedHeap[str, _End] = KeyedHeap()
        self._beyond: KeyedHeap[str, _LatestFirst] = KeyedHeap()
        """All ended before each of those that are kept; there is none while fewer than `most` are kept."""

    def __len__(self) -> int:
        return len(self._kept) + len(self._beyond)

    def is_beyond(self, uid: str) -> bool:
        """Return whether as many as are kept ended later."""
        return uid in self._beyond

    def put(self, job: PastJob) -> str | None:
        """Add a job; return the one that is beyond since."""
        self._kept.put(job.uid, (job.finished, job.uid))
        if len(self._kept) <= self._most or (first := self._kept.pop()) is None:
            return None
        end, uid = first
        self._beyond.put(uid, _LatestFirst(end))
        return uid

    def discard(self, uid: str) -> str | None:
        """Remove a job; return the one that is kept again since."""
        self._beyond.discard(uid)
        if uid not in self._kept:
            return None
        self._kept.discard(uid)
        latest = self._beyond.pop()
        if latest is None:
            return None
        self._kept.put(latest[1], latest[0].end)
        return latest[1]
