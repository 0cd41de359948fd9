"""Estimate when the waiting jobs of a namespace start, from the queue as it is and the runs that ended. Pure.

Computed when somebody asks, once for all jobs of the namespace, and never written anywhere. `core.estimates` says how.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from math import ceil

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.estimates.durations import Durations
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.run_length import RunEstimate, estimate_run
from provisioner_operator.core.estimates.situation import (
    Arrival,
    CurrentRun,
    GrowingPool,
    Servers,
    Situation,
    WaitingJob,
)
from provisioner_operator.core.estimates.start_times import MOST_JOBS, StartEstimate, estimate_starts
from provisioner_operator.core.jobs.ordering import CreationKey, creation_key
from provisioner_operator.core.model.matching import Demand, satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.queueing.places import in_order
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.views.queue_view import QueueView
from provisioner_operator.core.views.snapshot import ran, waited

_CLEANUP_SECONDS = 1.0
"""Time after which a slot is free that is occupied although no job runs there: it is being cleaned up."""
_NO_GROUP = "\0"
"""Group of what occupies a slot and is no job: no policy has one of that name."""
_LEAST_ARRIVALS, _LEAST_MOMENTS, _MOST_ARRIVALS = 300, 30, 3_000
"""Last jobs that came, as which others may come, and moments at which they came; and jobs that are taken from these."""
_LEAST_STARTS = 3
"""Starts of a pool's daemons from which on the next one is estimated."""


class Forecast:
    """Outlook of the jobs of a queue as it is now; computed when it is asked, once for each namespace."""

    def __init__(self, queue: QueueView, history: RunHistory) -> None:
        self._queue = queue
        self._history = history
        self._starts: dict[str, Mapping[str, StartEstimate]] = {}

    def start_of(self, job: Job) -> StartEstimate | None:
        """Estimate when a waiting job starts; None if too little is known, or it is not in the queue."""
        if job.namespace not in self._starts:
            self._starts[job.namespace] = estimates_in(self._queue, job.namespace, self._history)
        return self._starts[job.namespace].get(job.uid)

    def run_of(self, job: Job) -> RunEstimate | None:
        """Return how long runs like that of a running job take; None if too few are known."""
        return estimate_run(job, self._history, self._queue.now)


def estimates_in(queue: QueueView, namespace: str, history: RunHistory) -> Mapping[str, StartEstimate]:
    """Estimate the starts of the namespace's waiting jobs by uid; those of which too little is known are missing."""
    return estimate_starts(_Reading(queue, namespace, history).situation())


def unknown_because(job: Job, queue: QueueView) -> str:
    """Return why it is unknown when a job in the queue starts, as the end of a sentence."""
    growing = [each for each in queue.pools_in(job.namespace) if satisfies(each.supply, job.demand) and growth_of(each)]
    if not growing and not queue.takers(job.demand):
        return "nobody runs jobs with these tags"
    policy = queue.policies.of(job.namespace)
    if policy is not None and policy.policy.fairness is not None:
        return "jobs of groups with a smaller share may come and go first"
    return "too few runs have ended in the namespace, or too few daemons of a pool that may grow have started"


class _Reading:
    """The situation of a namespace, as it is read from the queue."""

    def __init__(self, queue: QueueView, namespace: str, history: RunHistory) -> None:
        self._queue = queue
        self._history = history
        self._namespace = namespace
        policies = queue.policies.of(namespace)
        self._policies = policies
        self._policy = NO_POLICY if policies is None else policies.policy
        # In a fixed order, so that equal queues have equal estimates.
        self._pools = sorted(queue.pools_in(namespace), key=lambda each: each.uid)
        self._candidates = sorted(queue.candidates(namespace), key=lambda each: each.daemon.uid)
        jobs = (job for demand, waiting in queue.queues.items() if demand.namespace == namespace for job in waiting)
        self._waiting = sorted(in_order(policies, jobs)[:MOST_JOBS], key=self._rank)
        came = self._arrivals()
        self._arrived = came if self._are_overtaken_by(came) else None
        """Jobs that came last; None if those that come do not go before those that wait."""

    def situation(self) -> Situation:
        arrivals = self._arrived or []
        jobs = [*self._waiting, *arrivals]
        limits = dict.fromkeys(chain.from_iterable(map(self._policy.limits_of, jobs)))
        slots = None if self._policies is None else self._policies.slots
        return Situation(
            free=tuple(chain.from_iterable(map(self._free, self._candidates))),
            runs=tuple(chain(chain.from_iterable(map(self._runs, self._candidates)), self._runs_elsewhere())),
            waiting=tuple(map(self._job, self._waiting)),
            rooms={} if slots is None else {limit: slots.room(limit) for limit in limits},
            fairness=self._policy.fairness,
            past_use=self._past_use(jobs),
            arrivals=tuple(Arrival(self._queue.now - job.created, self._job(job)) for job in arrivals),
            window=max((self._queue.now - job.created for job in arrivals), default=0.0),
            is_overtaken=self._arrived is not None,
            pools=tuple(pool for each in self._pools if (pool := self._growing(each)) is not None),
        )

    def _rank(self, job: Job) -> tuple[int, bool, CreationKey]:
        return -job.priority, self._policy.is_background(job), creation_key(job)

    def _are_overtaken_by(self, came: Iterable[Job]) -> bool:
        """Return whether jobs like those that came may go before one that waits."""
        if not self._waiting:
            return False
        last = self._rank(self._waiting[-1])[:2]
        return self._policy.fairness is not None or any(self._rank(job)[:2] < last for job in came)

    def _arrivals(self) -> list[Job]:
        """Return the last jobs that came, in any state."""
        unfinished = (job for job in self._queue.jobs.values() if job.namespace == self._namespace)
        came = sorted((*self._history.recent(self._namespace), *unfinished), key=lambda job: (job.created, job.uid))
        moments = sorted({int(job.created) for job in came})[-_LEAST_MOMENTS:]
        # A burst alone says nothing about how often it comes.
        since = min(moments[0], came[-_LEAST_ARRIVALS:][0].created) if came else 0.0
        recent = [job for job in came if job.created >= since]
        return recent[:: ceil(len(recent) / _MOST_ARRIVALS) or 1]

    def _past_use(self, jobs: Iterable[Job]) -> dict[str, float]:
        past = None if self._policies is None else self._policies.past
        groups = {self._policy.group_of(job) for job in jobs}
        return {} if past is None else {group: past.decayed(group, self._queue.now) for group in groups}

    def _job(self, job: Job) -> WaitingJob:
        policy = self._policy
        return WaitingJob(
            job.uid,
            job.demand,
            self._history.nearest(job),
            job.active_deadline,
            waited(job, self._queue.now),
            policy.group_of(job),
            job.priority,
            policy.is_background(job),
            policy.limits_of(job),
        )

    def _free(self, candidate: Candidate) -> Iterator[Servers]:
        spare = candidate.daemon.capacity - self._queue.used(candidate.daemon)
        return repeat(self._servers(candidate.daemon), max(0, spare) if candidate.open else 0)

    def _runs(self, candidate: Candidate) -> Iterator[CurrentRun]:
        daemon = candidate.daemon
        servers = self._servers(daemon) if candidate.open else None
        jobs = sorted(self._queue.jobs_on(daemon), key=lambda job: job.uid)
        for number, job in enumerate(jobs):
            # Above a capacity that was lowered, nobody gets the slot.
            yield self._run(job, servers if number < daemon.capacity else None)
        demand = Demand(daemon.namespace, Provisioner.ECHO, frozenset())
        for _ in range(len(jobs), min(self._queue.used(daemon), daemon.capacity)):
            yield CurrentRun(WaitingJob("", demand, None, 0.0, group=_NO_GROUP), servers, 0.0, _CLEANUP_SECONDS)

    def _runs_elsewhere(self) -> Iterator[CurrentRun]:
        """Yield the runs that count for limits, of daemons that are gone."""
        known = {each.daemon.uid for each in self._candidates}
        slots = () if self._policies is None else self._policies.slots.jobs()
        for job in sorted(slots, key=lambda job: job.uid):
            if job.assignment is None or job.assignment.daemon_uid not in known:
                yield self._run(job, None)

    def _run(self, job: Job, servers: Servers | None) -> CurrentRun:
        return CurrentRun(self._job(job), servers, ran(job, self._queue.now) or 0.0)

    def _servers(self, daemon: Daemon) -> Servers:
        pool = next((each.uid for each in self._pools if _may_own(each, daemon)), None)
        return Servers(daemon.supply, pool)

    def _growing(self, pool: Pool) -> GrowingPool | None:
        """Return the pool if it creates daemons, and these become ready."""
        growth = growth_of(pool)
        if growth is None or growth.trouble is not None:
            return None
        mine = [each for each in self._candidates if _may_own(pool, each.daemon)]
        ages = [max(0.0, self._queue.now - each.daemon.created) for each in mine if each.starting]
        present = max(pool.status.replicas, pool.status.desired_replicas, len(mine))
        unseen = present - len(mine)
        known, scaling = pool.status.start_seconds, pool.autoscaling
        return GrowingPool(
            pool.uid,
            pool.name,
            Servers(pool.supply, pool.uid),
            pool.capacity,
            most=pool.replicas if scaling is None else scaling.max_replicas,
            present=present,
            starting=(*ages, *repeat(0.0, unseen)),
            start=Durations.of(known) if len(known) >= _LEAST_STARTS else None,
            mean_run=pool.status.mean_run_seconds,
            target_wait=0.0 if scaling is None else scaling.target_wait,
            is_fixed=scaling is None,
        )


def _may_own(pool: Pool, daemon: Daemon) -> bool:
    """Return whether the daemon is one of the pool's; of pools that differ in nothing that matters, the first will do."""
    return daemon.pod_uid is not None and daemon.supply == pool.supply
