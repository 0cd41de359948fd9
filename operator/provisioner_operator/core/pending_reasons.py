"""When to say why a job is pending: at once what only an admin can change, later what passes by itself.

A queue that moves needs no explanation and costs no write; a job that nobody can take is told about within a second.
Explanations are computed once per demand and again only when the fleet itself changes, not each time a slot does.
"""

from collections.abc import Callable, Iterable

from provisioner_operator.api.enums import PendingReason
from provisioner_operator.core.explanation import Candidate, Explanation, Growth, explain
from provisioner_operator.core.instant import Instant
from provisioner_operator.core.keyed_heap import KeyedHeap
from provisioner_operator.core.matching import Demand
from provisioner_operator.core.records import Daemon, Job

SETTLE_SECONDS = 1.0
"""How long a fleet may change before its jobs are explained: daemons that start together are seen together."""
PATIENCE_SECONDS = 30.0
"""How long a job may wait for what passes by itself (busy daemons, an earlier job) before that is written down."""

_PASSES_BY_ITSELF = frozenset(
    {PendingReason.DAEMONS_BUSY, PendingReason.DAEMONS_STARTING, PendingReason.WORKSPACE_BUSY}
)

Fleet = Callable[[str], Iterable[tuple[Daemon, bool, bool]]]
"""Daemons of a namespace, each with whether it is online and whether it has a free slot."""


class PendingReasons:
    """The jobs that wait, since when, and when each is to be looked at."""

    def __init__(self) -> None:
        self.due: KeyedHeap[str, float] = KeyedHeap()
        self._since: dict[str, float] = {}
        self._namespaces: dict[str, set[str]] = {}
        self._namespace_of: dict[str, str] = {}
        self._cache: dict[str, dict[Demand, Explanation]] = {}
        self._growths: dict[str, Growth] = {}
        """Pools that make daemons when jobs wait, by uid."""

    def waits(self, job: Job, now: Instant) -> None:
        """The job waits to be assigned."""
        if job.uid not in self._since:
            self._since[job.uid] = now.monotonic
            self._namespaces.setdefault(job.namespace, set()).add(job.uid)
            self._namespace_of[job.uid] = job.namespace
            self.due.put(job.uid, now.monotonic + SETTLE_SECONDS)

    def look_soon(self, uid: str, now: Instant) -> None:
        """What is said of the waiting job may not be true any more, or could not be said just now."""
        if uid in self._since:
            self.due.put(uid, now.monotonic + SETTLE_SECONDS)

    def look_again(self, uid: str, now: Instant) -> None:
        """See to the waiting job once more in a while."""
        self.due.put(uid, now.monotonic + PATIENCE_SECONDS)

    def forget(self, uid: str) -> None:
        """The job waits no more."""
        self.due.discard(uid)
        if self._since.pop(uid, None) is not None:
            namespace = self._namespace_of.pop(uid)
            self._namespaces[namespace].discard(uid)
            if not self._namespaces[namespace]:
                del self._namespaces[namespace]
                self._cache.pop(namespace, None)

    def fleet_changed(self, namespace: str, now: Instant) -> None:
        """A daemon came, went, or changed in what it offers: its organization's jobs want another look."""
        self._cache.pop(namespace, None)
        for uid in self._namespaces.get(namespace, ()):
            self.due.put(uid, now.monotonic + SETTLE_SECONDS)

    def growth_changed(self, pool_uid: str, growth: Growth | None, now: Instant) -> None:
        """A pool makes daemons when jobs wait, as it is now; None if it does so no longer."""
        known = self._growths.pop(pool_uid, None)
        if growth is not None:
            self._growths[pool_uid] = growth
        if growth != known:
            # A pool is of one namespace all its life.
            for namespace in {each.supply.namespace for each in (known, growth) if each is not None}:
                self.fleet_changed(namespace, now)

    def pop_due(self, now: Instant) -> list[str]:
        """The jobs to look at now."""
        return self.due.pop_due(now.monotonic)

    def of(self, job: Job, blocking_job: str | None, fleet: Fleet, now: Instant) -> Explanation | None:
        """Why the job waits; None if there is nothing to say, or not yet: then it comes up again in time."""
        if blocking_job is not None:
            message = f"Workspace {job.workspace} is busy: {blocking_job} goes first, one job of a workspace at a time."
            explanation = Explanation(PendingReason.WORKSPACE_BUSY, message, ())
        else:
            found = self._explain(job.demand, fleet)
            if found is None:
                self.look_again(job.uid, now)
                return None
            explanation = found
        ready = self._since[job.uid] + PATIENCE_SECONDS
        if explanation.reason in _PASSES_BY_ITSELF and now.monotonic < ready:
            self.due.put(job.uid, ready)
            return None
        return explanation

    def _explain(self, demand: Demand, fleet: Fleet) -> Explanation | None:
        cache = self._cache.setdefault(demand.namespace, {})
        if demand not in cache:
            growths = [each for each in self._growths.values() if each.supply.namespace == demand.namespace]
            candidates = [Candidate(daemon, online, free) for daemon, online, free in fleet(demand.namespace)]
            explanation = explain(demand, candidates, growths)
            if explanation is None:
                return None  # not for long: whoever is free now soon has a job
            cache[demand] = explanation
        return cache[demand]
