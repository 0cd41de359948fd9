"""When to say why a job is pending: at once what only an admin can change, later what passes by itself.

A queue that moves needs no explanation and costs no write; a job that nobody can take is told about within a second.
Explanations are computed once per demand and again only when the fleet itself changes, not each time a slot does; only
if another one results are the demand's jobs looked at again, so that a fleet may change while 100,000 jobs wait.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.json_patch import clip
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.explanation import Candidate, Explanation, Growth, explain

SETTLE_SECONDS = 1.0
"""How long a fleet may change before its jobs are explained: daemons that start together are seen together."""
PATIENCE_SECONDS = 30.0
"""How long a job may wait for what passes by itself (busy daemons, an earlier job) before that is written down."""

DEMANDS_A_ROUND = 16
"""How many demands are explained at a time: each costs a look at the whole fleet."""

_PASSES_BY_ITSELF = frozenset(
    {PendingReason.DAEMONS_BUSY, PendingReason.DAEMONS_STARTING, PendingReason.WORKSPACE_BUSY}
)

Fleet = Callable[[str], Iterable[tuple[Daemon, bool, bool]]]
"""Daemons of a namespace, each with whether it is online and whether it has a free slot."""


@dataclass(slots=True)
class _Line:
    """The waiting jobs of one demand."""

    jobs: dict[str, None] = field(default_factory=dict)
    explanation: Explanation | None = None
    """Why they wait, until the fleet changes."""
    told: Explanation | None = None
    """What all of them are told, or about to be; None if perhaps not all of them are told the same."""


class PendingReasons:
    """The jobs that wait, since when, and when each is to be looked at."""

    def __init__(self) -> None:
        self._due: KeyedHeap[str, float] = KeyedHeap()
        self._demands_due: KeyedHeap[Demand, float] = KeyedHeap()
        self._since: dict[str, float] = {}
        self._demand_of: dict[str, Demand] = {}
        self._lines: dict[str, dict[Demand, _Line]] = {}
        """By namespace."""
        self._growths: dict[str, Growth] = {}
        """Pools that make daemons when jobs wait, by uid."""

    def waits(self, job: Job, now: Instant) -> None:
        """The job waits to be assigned."""
        if job.uid not in self._since:
            self._since[job.uid] = now.monotonic
            self._demand_of[job.uid] = job.demand
            self._lines.setdefault(job.namespace, {}).setdefault(job.demand, _Line()).jobs[job.uid] = None
            self._due.put(job.uid, now.monotonic + SETTLE_SECONDS)
            return
        told = self._line(job.demand).told
        if told is not None and not says(job, told.reason, told.message):  # in somebody else's words
            self._due.put(job.uid, now.monotonic + SETTLE_SECONDS)

    def look_soon(self, uid: str, now: Instant) -> None:
        """What is said of the waiting job may not be true any more, or could not be said just now."""
        self.look_at(uid, now.monotonic + SETTLE_SECONDS)

    def look_at(self, uid: str, when: float) -> None:
        """Look at the waiting job at that time, on the monotonic clock."""
        if uid in self._since:
            self._due.put(uid, when)

    def forget(self, uid: str) -> None:
        """The job waits no more."""
        self._due.discard(uid)
        if self._since.pop(uid, None) is None:
            return
        demand = self._demand_of.pop(uid)
        line = self._line(demand)
        del line.jobs[uid]
        if not line.jobs:
            self._demands_due.discard(demand)
            lines = self._lines[demand.namespace]
            del lines[demand]
            if not lines:
                del self._lines[demand.namespace]

    def fleet_changed(self, namespace: str, now: Instant) -> None:
        """A daemon came, went, or changed in what it offers: its organization's demands want another look."""
        for demand, line in self._lines.get(namespace, {}).items():
            line.explanation = None
            self._demands_due.put(demand, now.monotonic + SETTLE_SECONDS)

    def growth_changed(self, pool_uid: str, growth: Growth | None, now: Instant) -> None:
        """A pool makes daemons when jobs wait, as it is now; None if it does so no longer."""
        known = self._growths.pop(pool_uid, None)
        if growth is not None:
            self._growths[pool_uid] = growth
        if growth != known:
            # A pool is of one namespace all its life.
            for namespace in {each.supply.namespace for each in (known, growth) if each is not None}:
                self.fleet_changed(namespace, now)

    def next_look(self) -> float | None:
        """When there is something to look at, on the monotonic clock; None if never."""
        firsts = (first[0] for heap in (self._due, self._demands_due) if (first := heap.peek()) is not None)
        return min(firsts, default=None)

    def due(self, fleet: Fleet, now: Instant) -> Iterator[str]:
        """The jobs to look at now, each leaving the list as it is yielded."""
        for _ in range(DEMANDS_A_ROUND):
            first = self._demands_due.peek()
            if first is None or first[0] > now.monotonic:
                break
            self._demands_due.pop()
            self._look_at_line(first[1], fleet, now)
        while (next_job := self._due.peek()) is not None and next_job[0] <= now.monotonic:
            self._due.pop()
            yield next_job[1]

    def of(self, job: Job, blocking_job: str | None, fleet: Fleet, now: Instant) -> Explanation | None:
        """Why the job waits; None if there is nothing to say, or not yet: then it comes up again in time."""
        if blocking_job is not None:
            message = f"Workspace {job.workspace} is busy: {blocking_job} goes first, one job of a workspace at a time."
            explanation = Explanation(PendingReason.WORKSPACE_BUSY, message, ())
        else:
            line = self._line(job.demand)
            found = self._explain(job.demand, fleet)
            if found != line.told:
                line.told = None
            if found is None:
                self._look_at_demand_again(job.demand, now)
                return None
            explanation = found
        ready = self._since[job.uid] + PATIENCE_SECONDS
        if explanation.reason in _PASSES_BY_ITSELF and now.monotonic < ready:
            self._due.put(job.uid, ready)
            return None
        return explanation

    # --- inside ---

    def _line(self, demand: Demand) -> _Line:
        return self._lines[demand.namespace][demand]

    def _look_at_line(self, demand: Demand, fleet: Fleet, now: Instant) -> None:
        """Have the demand's jobs looked at if they are to be told something else."""
        line, explanation = self._line(demand), self._explain(demand, fleet)
        if explanation is None:
            self._look_at_demand_again(demand, now)
        elif explanation != line.told:
            line.told = explanation
            for uid in line.jobs:
                self._due.put(uid, now.monotonic)

    def _look_at_demand_again(self, demand: Demand, now: Instant) -> None:
        if demand not in self._demands_due:
            self._demands_due.put(demand, now.monotonic + PATIENCE_SECONDS)

    def _explain(self, demand: Demand, fleet: Fleet) -> Explanation | None:
        line = self._line(demand)
        if line.explanation is None:
            growths = [each for each in self._growths.values() if each.supply.namespace == demand.namespace]
            candidates = [Candidate(daemon, online, free) for daemon, online, free in fleet(demand.namespace)]
            line.explanation = explain(demand, candidates, growths)
            # None is not for long: whoever is free now soon has a job.
        return line.explanation


def says(job: Job, reason: PendingReason, message: str) -> bool:
    """Whether the job's status tells this already."""
    return (job.reason, job.message) == (reason, clip(message))
