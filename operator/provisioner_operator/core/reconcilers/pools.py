"""Reconcile all pools and their Pods together, from their last observed state.

The controller calls `decide` whenever it calls the job reconciler's. A change of a pool or of one of its Pods is reconciled
in the same round, other changes (queue, slots, heartbeats) at most once a second; pools that none of them concerns are left out. The state of daemons and of the queue
comes from the job cache, so that all of it is of the same moment.
"""

from collections.abc import Iterator, Sequence

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.gone_objects import GoneObjects
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.pools.decisions import (
    CordonDaemon,
    CreatePod,
    FindPods,
    PoolDecision,
    UncordonDaemon,
)
from provisioner_operator.core.pools.drain_time import ShortDrain, ShortDrains
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import PoolPod, Trouble
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.job_cache import JobCache
from provisioner_operator.core.reconcilers.pool_backoffs import PoolBackoffs
from provisioner_operator.core.reconcilers.pool_members import PoolMembers

LOOK_SECONDS = 1.0
"""Minimum interval between two rounds that only changes of the queue require."""
CREATION_REFUSED = "FailedCreate"
"""Reason of a refused Pod, as in Kubernetes' own controllers."""


class PoolReconciler:
    """Brings the pools of all served namespaces to the size and revision of their specs."""

    def __init__(self, jobs: JobCache, default_image: str) -> None:
        self._jobs = jobs
        self._fleet = Fleet(default_image)
        self._pools: dict[str, Pool] = {}
        self._members = PoolMembers(jobs)
        self._gone = GoneObjects()
        """Pools and Pods that were deleted."""
        self._searched: set[str] = set()
        """Namespaces whose Pods were listed in this term of leadership; in others an unknown one may exist."""
        self._parked: set[str] = set()
        """Pools in a state that cannot be parsed."""
        self._under_way: set[str] = set()
        self._backoffs = PoolBackoffs()
        self._creations_refused: dict[str, str] = {}
        """Last reason for which each pool's Pods were refused, until one is created."""
        self._short_drains = ShortDrains()
        self._is_urgent = False
        self._looked_at = float("-inf")
        self._look_at = float("inf")
        jobs.tell_of_pods(self._daemon_changed)

    def use_image(self, image: str) -> None:
        """Set the image of daemons whose pool names none."""
        self._fleet.use_image(image)

    # --- what was observed ---

    def observe_pool(self, pool: Pool, now: Instant) -> bool:
        """Observe a pool; return False if this or a later version of it is known."""
        known = self._pools.get(pool.uid)
        if known is not None and pool.resource_version <= known.resource_version:
            return False
        if self._gone.covers(pool.uid, pool.resource_version):
            return False
        if known is not None and pool.generation != known.generation:
            self._backoffs.forget(pool.uid)
            self._fleet.try_again(pool.uid)
        self._parked.discard(pool.uid)
        self._pools[pool.uid] = pool
        self._fleet.observe(pool)
        self._jobs.observe_growth(pool.namespace, pool.uid, growth_of(pool), now)
        self._is_urgent = True
        return True

    def pool_deleted(self, uid: str, now: Instant) -> None:
        """Remove a pool whose object is gone."""
        if (pool := self._pools.pop(uid, None)) is not None:
            self._jobs.observe_growth(pool.namespace, uid, None, now)
        self._gone.add(uid)
        self._fleet.deleted(uid)
        self._short_drains.pool_deleted(uid)
        self._parked.discard(uid)
        self._backoffs.forget(uid)
        self._creations_refused.pop(uid, None)
        self._is_urgent = True

    def park(self, uid: str) -> None:
        """The pool is in a state that cannot be parsed: nothing is decided about it until it can be again."""
        self._parked.add(uid)
        self._fleet.changed(uid)

    def observe_pod(self, pod: PoolPod, resource_version: int) -> bool:
        """Observe a Pod of a pool; return False if this or a later version of it is known."""
        is_old = resource_version <= self._members.version_of(pod.uid)
        if is_old or self._gone.covers(pod.uid, resource_version):
            return False
        if (known := self._members.get(pod.uid)) is not None:
            self._fleet.changed(known.pool_uid)  # which may have released it
        self._members.put(pod, resource_version)
        self._pod_changed(pod)
        return True

    def pod_deleted(self, uid: str, version: int = 0) -> None:
        """Remove a Pod whose object is gone; `version` is its last, if known."""
        if (known := self._members.get(uid)) is not None:
            self._gone.add(uid, max(self._members.version_of(uid), version))
            self._members.discard(uid)
            self._pod_changed(known)

    def run_ended(self, job: Job) -> None:
        """Record the duration of an ended job, on which the needed size of its daemon's pool depends."""
        pool_uid = self._pool_of(job)
        if pool_uid is not None and job.started is not None and job.finished is not None:
            self._fleet.run_ended(pool_uid, job.finished - job.started)

    def run_started(self, job: Job) -> ShortDrain | None:
        """Return the pool of a started job if its Pods may be killed before the job's deadline, and that is news."""
        pool = self._pools.get(self._pool_of(job) or "")
        return None if pool is None else self._short_drains.started(job, pool)

    def leadership_gained(self) -> None:
        """Distrust every absence of a Pod that was observed as a standby, whose watch may have ended unnoticed."""
        self._searched.clear()
        self._is_urgent = True

    def pods_found(self, namespace: str) -> None:
        """Record that all Pods of the namespace were listed and observed, and the missing ones forgotten."""
        self._searched.add(namespace)

    # --- the outcome of decisions ---

    def created(self, pool_uid: str, name: str) -> None:
        """Record that a requested Pod exists."""
        self._creations_refused.pop(pool_uid, None)
        self._fleet.created(pool_uid, name)

    def refused(self, decision: PoolDecision, refusal: Refusal, now: Instant) -> bool:
        """Record that the API server refused the write, and back off; return whether to report it."""
        uid = decision.pool.uid
        if uid not in self._pools:
            return False
        if isinstance(decision, CreatePod):
            # Refused Pods and failing Pods share the pool's own backoff.
            trouble = Trouble(CREATION_REFUSED, f"Pods are refused: {refusal.message}")
            self._fleet.refused(uid, decision.name, trouble, now)
            is_news = self._creations_refused.get(uid) != refusal.reason
            self._creations_refused[uid] = refusal.reason
            return is_news
        self._fleet.changed(uid)
        return self._backoffs.refused(decision, refusal, now)

    def accepted(self, decision: PoolDecision) -> None:
        """Record that the write succeeded, and reset its backoff."""
        self._backoffs.accepted(decision)

    def settled(self, decision: PoolDecision, _: Instant) -> None:
        """End a decision, whatever its outcome."""
        if isinstance(decision, CreatePod):
            self._fleet.unanswered(decision.pool.uid, decision.name)  # unless it was created or refused
        self._under_way.discard(decision.subject)
        self._fleet.changed(decision.pool.uid)
        self._is_urgent = True

    # --- the loop ---

    def decide(self, now: Instant) -> Iterator[PoolDecision]:
        """Yield all decisions that are due; each is under way until it is `settled`."""
        if not self._pools:
            self._look_at = float("inf")
            return
        soon = self._looked_at + LOOK_SECONDS
        if not self._is_urgent and now.monotonic < min(soon, self._look_at):
            self._look_at = min(soon, self._look_at)
            return
        self._is_urgent = False
        self._looked_at = now.monotonic
        waiting = self._waiting(now)
        found = self._fleet.decide(self._due(waiting, now), waiting, now)
        self._look_at = float("inf") if found.requeue_after is None else now.monotonic + found.requeue_after
        decisions = [self._after_search(each) for each in found.decisions]
        if self._backoffs.drop_obsolete(decisions, self._under_way):
            # The status still shows the refusal, and nothing else may wake the loop.
            self._is_urgent = True
            self._look_at = now.monotonic
        for decision in decisions:
            if decision.subject in self._under_way or self._backs_off(decision, now) or self._is_outdated(decision):
                continue
            self._under_way.add(decision.subject)
            yield decision

    def next_wake(self) -> float | None:
        """Return the monotonic time at which to call `decide` even if nothing is observed; None if never."""
        return self._look_at if self._look_at < float("inf") else None

    # --- what is known ---

    def pod_uids(self) -> dict[str, str]:
        """Return the uids of the Pods of pools, each with its namespace, for a list to find missed deletions."""
        return self._members.uids()

    def pool(self, uid: str) -> Pool | None:
        """Return a pool, as last observed."""
        return self._pools.get(uid)

    def pools(self) -> Iterator[Pool]:
        """Iterate over all pools, as last observed."""
        return iter(self._pools.values())

    # --- inside ---

    def _pod_changed(self, pod: PoolPod) -> None:
        self._backoffs.forget_pod(pod)
        self._fleet.changed(pod.pool_uid)
        self._is_urgent = True

    def _daemon_changed(self, pod_uid: str) -> None:
        if (pod := self._members.get(pod_uid)) is not None:
            self._fleet.changed(pod.pool_uid)

    def _due(self, waiting: Sequence[Waiting], now: Instant) -> list[PoolView]:
        """Return the pools that this round has to plan, with their Pods."""
        views: list[PoolView] = []
        for uid in self._fleet.due(waiting, now):
            if uid in self._parked:
                self._fleet.leave(uid)
                continue
            views.append(PoolView(self._pools[uid], self._members.of(uid, now), self._backoffs.message(uid)))
            if self._backoffs.concern(uid):
                # Whether they still concern anything due shows only as long as the pool is planned.
                self._fleet.changed(uid)
        return views

    def _after_search(self, decision: PoolDecision) -> PoolDecision:
        """Return the decision, or the list of Pods that has to come first."""
        if decision.pool.namespace in self._searched:
            return decision
        if isinstance(decision, CreatePod):
            self._fleet.unanswered(decision.pool.uid, decision.name)  # it is not sent
        return FindPods(decision.pool)

    def _backs_off(self, decision: PoolDecision, now: Instant) -> bool:
        """Return whether the decision backs off; if so, schedule the round that may repeat it."""
        backoff = self._backoffs.active(decision, now)
        if backoff is None:
            return False
        self._look_at = min(self._look_at, backoff.until)
        return True

    def _is_outdated(self, decision: PoolDecision) -> bool:
        """Return whether the decision is about a daemon as it was before its object could no longer be parsed."""
        return isinstance(decision, CordonDaemon | UncordonDaemon) and self._jobs.is_unreadable_daemon(
            decision.daemon.uid
        )

    def _pool_of(self, job: Job) -> str | None:
        """Return the uid of the pool to whose Pod the job is assigned."""
        pod_uid = None if job.assignment is None else self._jobs.pod_of(job.assignment.daemon_uid)
        pod = self._members.get(pod_uid or "")
        return None if pod is None else pod.pool_uid

    def _waiting(self, now: Instant) -> list[Waiting]:
        return [
            Waiting(demand, count, max(now.wall - first.created - first.suspended_seconds, 0.0))
            for demand, (count, first) in self._jobs.queue_depths().items()
        ]
