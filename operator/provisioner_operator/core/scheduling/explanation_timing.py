"""Time the explanations of pending jobs: at once where only an admin can help, later where waiting may be enough.

A queue that moves needs no explanation and costs no write; a job that no daemon can take is explained within a second.
Explanations are computed once per demand and again only when the fleet itself changes, not each time a slot does. Only
if the result differs are the demand's jobs visited again, so that a fleet may change while 100,000 jobs wait; and as the
same daemon is advised as long as that is one of the smallest changes, it differs only if somebody has to know.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.json_patch import clip
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation, Growth, explain
from provisioner_operator.core.scheduling.smallest_change import Candidate, advised_daemon

SETTLE_SECONDS = 1.0
"""Time for which a fleet may change before jobs are explained: daemons that start together count together."""
PATIENCE_SECONDS = 30.0
"""Time for which a job waits for busy daemons or an earlier job before that is explained."""

DEMANDS_A_ROUND = 16
"""Demands explained in one round, so that assignments do not wait."""

_TRANSIENT = frozenset(
    {
        PendingReason.DAEMONS_BUSY,
        PendingReason.DAEMONS_STARTING,
        PendingReason.WORKSPACE_BUSY,
        PendingReason.LIMIT_REACHED,
    }
)

Candidates = Callable[[str], Sequence[Candidate]]
"""Function that lists a namespace's daemons, or one of each kind (`candidates`)."""


@dataclass(slots=True)
class _WaitingJobs:
    """The waiting jobs of one demand."""

    jobs: dict[str, None] = field(default_factory=dict)
    explanation: Explanation | None = None
    """Their explanation, until the fleet changes."""
    announced: Explanation | None = None
    """Explanation that all of them have, or are about to get; None if it may differ between them."""
    advised: str | None = None
    """Daemon that the last smallest change is about."""


class PendingReasons:
    """The waiting jobs, the start of each wait, and the time at which each is to be explained."""

    def __init__(self) -> None:
        self._due: KeyedHeap[str, float] = KeyedHeap()
        self._demands_due: KeyedHeap[Demand, float] = KeyedHeap()
        self._since: dict[str, float] = {}
        self._demand_of: dict[str, Demand] = {}
        self._lines: dict[str, dict[Demand, _WaitingJobs]] = {}
        """Waiting jobs by namespace and demand."""
        self._growths: dict[str, dict[str, Growth]] = {}
        """Pools that create daemons when jobs wait, by namespace and uid."""

    def __contains__(self, uid: str) -> bool:
        """Return whether the job waits."""
        return uid in self._since

    def waiting_in(self, namespace: str) -> Iterator[str]:
        """Iterate over the uids of the namespace's waiting jobs."""
        return (uid for line in self._lines.get(namespace, {}).values() for uid in line.jobs)

    def waits(self, job: Job, now: Instant) -> None:
        """Add a job that waits for a daemon."""
        if job.uid not in self._since:
            self._since[job.uid] = now.monotonic
            self._demand_of[job.uid] = job.demand
            self._lines.setdefault(job.namespace, {}).setdefault(job.demand, _WaitingJobs()).jobs[job.uid] = None
            self._due.put(job.uid, now.monotonic + SETTLE_SECONDS)
            return
        announced = self._line(job.demand).announced
        # Another writer may have replaced the text, or removed it.
        is_unexplained = announced is None and job.reason is None and job.uid not in self._due
        if is_unexplained or (announced is not None and not matches_status(job, announced.reason, announced.message)):
            self._due.put(job.uid, now.monotonic + SETTLE_SECONDS)

    def look_soon(self, uid: str, now: Instant) -> None:
        """Visit the waiting job again soon: its explanation may be outdated, or could not be written just now."""
        self.look_at(uid, now.monotonic + SETTLE_SECONDS)

    def look_at(self, uid: str, when: float) -> None:
        """Visit the waiting job at that time, on the monotonic clock."""
        if uid in self._since:
            self._due.put(uid, when)

    def forget(self, uid: str) -> None:
        """Remove a job that no longer waits."""
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
        """Visit the demands of an organization in which a daemon was added, removed or changed."""
        for demand, line in self._lines.get(namespace, {}).items():
            line.explanation = None
            self._demands_due.put(demand, now.monotonic + SETTLE_SECONDS)

    def growth_changed(self, namespace: str, pool_uid: str, growth: Growth | None, now: Instant) -> None:
        """Record the state of a pool that creates daemons when jobs wait; None if it no longer does."""
        growths = self._growths.setdefault(namespace, {})
        known = growths.pop(pool_uid, None)
        if growth is not None:
            growths[pool_uid] = growth
        elif not growths:
            del self._growths[namespace]
        if growth != known:
            self.fleet_changed(namespace, now)

    def growths(self, namespace: str) -> Iterable[Growth]:
        """Return the namespace's pools that create daemons when jobs wait."""
        return self._growths.get(namespace, {}).values()

    def advised(self, namespace: str) -> frozenset[str]:
        """Return the names of all daemons that the explanations of the namespace's jobs are about."""
        return frozenset(line.advised for line in self._lines.get(namespace, {}).values() if line.advised is not None)

    def next_look(self) -> float | None:
        """Return the time of the next visit, on the monotonic clock; None if there is none."""
        firsts = (first[0] for heap in (self._due, self._demands_due) if (first := heap.peek()) is not None)
        return min(firsts, default=None)

    def due(self, fleet: Candidates, now: Instant) -> Iterator[str]:
        """Yield the jobs to visit now, each removed as it is yielded."""
        for _ in range(DEMANDS_A_ROUND):
            first = self._demands_due.peek()
            if first is None or first[0] > now.monotonic:
                break
            self._demands_due.pop()
            self._look_at_demand(first[1], fleet, now)
        while (next_job := self._due.peek()) is not None and next_job[0] <= now.monotonic:
            self._due.pop()
            yield next_job[1]

    def of(
        self,
        job: Job,
        busy: Explanation | None,
        fleet: Candidates,
        now: Instant,
        *,
        held: Explanation | None = None,
    ) -> Explanation | None:
        """Return the explanation to write; None if there is none yet: then the job comes up again in time.

        `busy` explains what goes first in the job's workspace, and `held` what else holds it up: reports that are awaited, or a limit.
        """
        if busy is not None:
            explanation = busy
        else:
            line = self._line(job.demand)
            found = self._explain(job.demand, fleet)
            if found != line.announced:
                line.announced = None
            # Neither is news where nobody could run the job anyway.
            first = held if found is None or found.reason not in STUCK else None
            if first is None and found is None:
                self._look_at_demand_again(job.demand, now)
            if (chosen := first or found) is None:
                return None
            explanation = chosen
        ready = self._since[job.uid] + PATIENCE_SECONDS
        if explanation.reason in _TRANSIENT and now.monotonic < ready:
            self._due.put(job.uid, ready)
            return None
        return explanation

    # --- inside ---

    def _line(self, demand: Demand) -> _WaitingJobs:
        return self._lines[demand.namespace][demand]

    def _look_at_demand(self, demand: Demand, fleet: Candidates, now: Instant) -> None:
        """Visit the demand's jobs if their explanation changed."""
        line, explanation = self._line(demand), self._explain(demand, fleet)
        if explanation is None:
            self._look_at_demand_again(demand, now)
        elif explanation != line.announced:
            line.announced = explanation
            for uid in line.jobs:
                self._due.put(uid, now.monotonic)

    def _look_at_demand_again(self, demand: Demand, now: Instant) -> None:
        if demand not in self._demands_due:
            self._demands_due.put(demand, now.monotonic + PATIENCE_SECONDS)

    def _explain(self, demand: Demand, fleet: Candidates) -> Explanation | None:
        line = self._line(demand)
        if line.explanation is None:
            growths = self.growths(demand.namespace)
            line.explanation = explain(demand, fleet(demand.namespace), growths, advised=line.advised)
            # None is not cached: a daemon that is free now soon has a job.
            if line.explanation is not None:
                line.advised = advised_daemon(line.explanation.edits) or line.advised
        return line.explanation


def matches_status(job: Job, reason: PendingReason, message: str) -> bool:
    """Return whether the job's status already has this explanation."""
    return (job.reason, job.message) == (reason, clip(message))
