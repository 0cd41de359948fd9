"""Durations of the last runs: of each kind of run, of each demand and of each namespace. Pure.

A run is estimated from those of the same template and transition where there are enough, else from those that required the same
provisioner and tags, else from all of the namespace. Kept up to date by who follows the jobs, or made from a list of them.
"""

from array import array
from bisect import insort
from collections.abc import Hashable, Iterable
from heapq import heappush, heappushpop

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.estimates.durations import Durations
from provisioner_operator.core.model.records import Job

_LEAST_RUNS = 5
"""Runs from which on the duration of the next one is estimated."""
_KEPT_RUNS = 200
"""Last runs that are kept of each kind."""
KEPT_KINDS = 4096
"""Kinds, demands and namespaces that are kept: users may invent any. Those without a run for the longest time go first."""
_KEPT_JOBS = 2000
"""Last jobs of all namespaces that are kept, for how jobs come."""
_DURATION_BITS = 24
"""Bits of a duration in seconds: half a year."""
_COUNTED = frozenset({Phase.COMPLETED, Phase.FAILED})
"""Phases of the runs that count: a canceled one says little about the next."""


class _LastRuns:
    """The runs of one kind that ended last: eight bytes for each, since there may be very many."""

    __slots__ = ("_durations", "_runs")

    def __init__(self) -> None:
        self._runs = array("Q")
        """End and duration of each in whole seconds, as one number; in order."""
        self._durations: Durations | None = None

    def add(self, finished: float, seconds: float) -> None:
        longest = (1 << _DURATION_BITS) - 1
        insort(self._runs, int(max(0.0, finished)) << _DURATION_BITS | min(longest, round(max(0.0, seconds))))
        if len(self._runs) > _KEPT_RUNS:
            del self._runs[0]
        self._durations = None

    def durations(self) -> Durations:
        if self._durations is None:
            self._durations = Durations.of(run & ((1 << _DURATION_BITS) - 1) for run in self._runs)
        return self._durations


class RunHistory:
    """Durations of the runs that ended last."""

    def __init__(self, ended: Iterable[Job] = ()) -> None:
        self._last: dict[Hashable, _LastRuns] = {}
        self._recent: list[tuple[float, str, int, Job]] = []
        """The jobs that ended last, as a heap: end, uid, a number, and the job."""
        self._observed = 0
        for job in ended:
            self.observe_end(job)

    def observe_end(self, job: Job) -> None:
        """Count the run of a job that has ended; each job may be passed once."""
        self._observed += 1
        push = heappush if len(self._recent) < _KEPT_JOBS else heappushpop
        push(self._recent, (job.finished or 0.0, job.uid, self._observed, job))
        if job.phase not in _COUNTED or job.started is None or job.finished is None:
            return
        for key in _keys(job):
            # Put last again, as the one with the latest run.
            if (runs := self._last.pop(key, None)) is None:
                runs = _LastRuns()
            self._last[key] = runs
            runs.add(job.finished, job.finished - job.started)
        while len(self._last) > KEPT_KINDS:
            del self._last[next(iter(self._last))]

    def like(self, job: Job) -> Durations | None:
        """Return the durations of runs like that of the job: of its template and transition, else of its demand; None if too few."""
        return self._first(_keys(job)[:2])

    def nearest(self, job: Job) -> Durations | None:
        """Return the durations of the runs that are most like that of the job; None if its namespace has too few."""
        return self._first(_keys(job))

    def recent(self, namespace: str) -> list[Job]:
        """Return the jobs of the namespace that ended last."""
        return [job for *_, job in self._recent if job.namespace == namespace]

    def _first(self, keys: Iterable[Hashable]) -> Durations | None:
        found = (runs.durations() for key in keys if (runs := self._last.get(key)) is not None)
        return next((each for each in found if len(each) >= _LEAST_RUNS), None)


def _keys(job: Job) -> tuple[Hashable, ...]:
    """Return what runs have in common, from the closest likeness to the widest."""
    kind = (job.namespace, job.type, job.template or job.demand, job.transition)
    return kind, (job.type, job.demand), job.namespace
