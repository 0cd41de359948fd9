"""Decide what is due for pools and their Pods, all of them at once, from what the API server reported about them.

The controller calls `decide` as often as it calls the job reconciler's. A change of a pool or of one of its Pods is looked
at in the same round; what else may have changed (queue, slots, heartbeats) at most once a second. What a pool's daemons do
and which jobs wait comes from the job cache, so both always speak of the same moment.
"""

from collections.abc import Iterable, Iterator

from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.pools.decisions import (
    CordonDaemon,
    CreatePod,
    PoolDecision,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView
from provisioner_operator.core.pools.load_sharing import Waiting
from provisioner_operator.core.pools.members import Member, PoolDaemon, PoolPod, Trouble
from provisioner_operator.core.pools.prospects import growth_of
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.job_cache import JobCache

LOOK_SECONDS = 1.0
"""Between two looks that only the queue asked for."""
CREATION_REFUSED = "FailedCreate"
"""As Kubernetes' own controllers call it."""


class PoolReconciler:
    """Brings the pools of the namespaces that are served to the size and revision that their specs want."""

    def __init__(self, jobs: JobCache, default_image: str) -> None:
        self._jobs = jobs
        self._fleet = Fleet(default_image)
        self._pools: dict[str, Pool] = {}
        self._pods: dict[str, tuple[int, PoolPod]] = {}
        self._parked: set[str] = set()
        """Pools in a state that cannot be parsed."""
        self._under_way: set[str] = set()
        self._backoffs: dict[str, dict[tuple[str, str], Backoff]] = {}
        """By pool, then by what was refused: the subject, and the kind of decision about it."""
        self._creations_refused: dict[str, str] = {}
        """The reason for which each pool's Pods were refused last, until one is made."""
        self._is_urgent = False
        self._looked_at = float("-inf")
        self._look_at = float("inf")

    def use_image(self, image: str) -> None:
        """From now on this is the image of daemons whose pool names none."""
        self._fleet.default_image = image

    # --- what was observed ---

    def observe_pool(self, pool: Pool, now: Instant) -> bool:
        """Take in a pool; False if this or a later version of it is known."""
        known = self._pools.get(pool.uid)
        if known is not None and pool.resource_version <= known.resource_version:
            return False
        if known is not None and pool.generation != known.generation:
            self._backoffs.pop(pool.uid, None)
            self._fleet.try_again(pool.uid)
        self._parked.discard(pool.uid)
        self._pools[pool.uid] = pool
        self._jobs.observe_growth(pool.uid, growth_of(pool), now)
        self._is_urgent = True
        return True

    def pool_deleted(self, uid: str, now: Instant) -> None:
        """The pool's object is gone."""
        self._pools.pop(uid, None)
        self._parked.discard(uid)
        self._backoffs.pop(uid, None)
        self._creations_refused.pop(uid, None)
        self._jobs.observe_growth(uid, None, now)
        self._is_urgent = True

    def park(self, uid: str) -> None:
        """The pool is in a state that cannot be parsed: nothing is decided about it until it can be again."""
        self._parked.add(uid)

    def observe_pod(self, pod: PoolPod, resource_version: int) -> bool:
        """Take in a Pod that a pool made; False if this or a later version of it is known."""
        version, _ = self._pods.get(pod.uid, (-1, None))
        if resource_version <= version:
            return False
        self._pods[pod.uid] = (resource_version, pod)
        self._forget_refusals(pod)
        self._is_urgent = True
        return True

    def pod_deleted(self, uid: str) -> None:
        """The Pod's object is gone."""
        if (known := self._pods.pop(uid, None)) is not None:
            self._forget_refusals(known[1])
            self._is_urgent = True

    def run_ended(self, job: Job) -> None:
        """A job ended: from how long it took follows how many daemons its daemon's pool needs."""
        if job.assignment is None or job.started is None or job.finished is None:
            return
        pod_uid = self._jobs.pod_of(job.assignment.daemon_uid)
        if pod_uid in self._pods:
            self._fleet.run_ended(self._pods[pod_uid][1].pool_uid, job.finished - job.started)

    # --- the outcome of decisions ---

    def created(self, pool_uid: str, name: str) -> None:
        """The Pod that was to be made is there."""
        self._creations_refused.pop(pool_uid, None)
        self._fleet.created(pool_uid, name)

    def refused(self, decision: PoolDecision, refusal: Refusal, now: Instant) -> bool:
        """The API server does not let it be done: not tried for a while. Return whether this is news."""
        uid, kind = decision.pool.uid, type(decision).__name__
        if uid not in self._pools:
            return False
        if isinstance(decision, CreatePod):
            # With a pause of the pool's own: Pods that are refused and Pods that fail are one trouble.
            trouble = Trouble(CREATION_REFUSED, f"Pods are refused: {refusal.message}")
            self._fleet.refused(uid, decision.name, trouble, now)
            is_news = self._creations_refused.get(uid) != refusal.reason
            self._creations_refused[uid] = refusal.reason
            return is_news
        backoff = self._backoffs.setdefault(uid, {}).setdefault((decision.subject, kind), Backoff())
        return backoff.refused(kind, refusal, now.monotonic)

    def accepted(self, decision: PoolDecision) -> None:
        """The API server did what was decided: what it refused before is forgotten."""
        backoffs = self._backoffs.get(decision.pool.uid, {})
        backoffs.pop((decision.subject, type(decision).__name__), None)

    def settled(self, decision: PoolDecision, _: Instant) -> None:
        """The decision was carried out, or came to nothing."""
        if isinstance(decision, CreatePod):
            self._fleet.unanswered(decision.pool.uid, decision.name)  # unless it was created or refused
        self._under_way.discard(decision.subject)
        self._is_urgent = True

    # --- the loop ---

    def decide(self, now: Instant) -> Iterator[PoolDecision]:
        """All that is due now; each decision is under way until it is `settled`."""
        if not self._pools:
            self._look_at = float("inf")
            return
        soon = self._looked_at + LOOK_SECONDS
        if not self._is_urgent and now.monotonic < min(soon, self._look_at):
            self._look_at = min(soon, self._look_at)
            return
        self._is_urgent = False
        self._looked_at = now.monotonic
        pools = [pool for uid, pool in self._pools.items() if uid not in self._parked]
        views = [PoolView(pool, self._members(pool.uid), self._words_of(pool.uid)) for pool in pools]
        found = self._fleet.decide(views, self._waiting(now), now)
        self._look_at = float("inf") if found.requeue_after is None else now.monotonic + found.requeue_after
        self._forget_refusals_of_what_is_over(found.decisions)
        if self._is_urgent:
            self._look_at = now.monotonic  # the status still says so, and nothing else may wake the loop
        for decision in found.decisions:
            if decision.subject in self._under_way or self._backs_off(decision, now) or self._is_blind(decision):
                continue
            self._under_way.add(decision.subject)
            yield decision

    def next_wake(self) -> float | None:
        """Return when to call `decide` even if nothing is observed, on the monotonic clock; None if never."""
        return self._look_at if self._look_at < float("inf") else None

    # --- what is known ---

    def pools(self) -> Iterator[Pool]:
        """All pools, as last observed."""
        return iter(self._pools.values())

    # --- inside ---

    def _backs_off(self, decision: PoolDecision, now: Instant) -> bool:
        """Whether it is too early to try this again; if so, come back in time."""
        backoffs = self._backoffs.get(decision.pool.uid, {})
        backoff = backoffs.get((decision.subject, type(decision).__name__))
        if backoff is None or not backoff.is_active(now.monotonic):
            return False
        self._look_at = min(self._look_at, backoff.until)
        return True

    def _is_blind(self, decision: PoolDecision) -> bool:
        """Whether the decision is about a daemon as it was before it could not be parsed any more."""
        return isinstance(decision, CordonDaemon | UncordonDaemon) and self._jobs.is_parked(decision.daemon.uid)

    def _words_of(self, pool_uid: str) -> str | None:
        """Return what the API server said when it refused something of the pool, if somebody has to read it."""
        backoffs = self._backoffs.get(pool_uid, {}).values()
        refusals = (backoff.refusal for backoff in backoffs if backoff.kind != UpdatePoolStatus.__name__)
        shown = next((each for each in refusals if each is not None and not each.transient), None)
        return None if shown is None else f"A write is refused: {shown.message}"

    def _forget_refusals_of_what_is_over(self, decisions: Iterable[PoolDecision]) -> None:
        """What was refused and is not wanted any more must not be shown any longer; a status is not always due."""
        wanted = {(decision.subject, type(decision).__name__) for decision in decisions}
        for backoffs in self._backoffs.values():
            over = [key for key in backoffs if key not in wanted and key[1] != UpdatePoolStatus.__name__]
            for key in over:
                if key[0] not in self._under_way:
                    del backoffs[key]
                    self._is_urgent = True

    def _forget_refusals(self, pod: PoolPod) -> None:
        """What was refused of this Pod may not be any more."""
        backoffs = self._backoffs.get(pod.pool_uid, {})
        for key in [key for key in backoffs if key[0] == pod.uid]:
            del backoffs[key]

    def _members(self, pool_uid: str) -> tuple[Member, ...]:
        return tuple(Member(pod, self._daemon(pod)) for _, pod in self._pods.values() if pod.pool_uid == pool_uid)

    def _daemon(self, pod: PoolPod) -> PoolDaemon | None:
        found = self._jobs.daemon_of_pod(pod.uid)
        if found is None:
            return None
        daemon, is_online, held = found
        return PoolDaemon(
            uid=daemon.uid,
            online=is_online,
            cordoned=daemon.cordoned,
            cordoned_by_pool=daemon.cordoned_by is not None,
            held=held,
            annotated=daemon.annotated,
        )

    def _waiting(self, now: Instant) -> list[Waiting]:
        return [
            Waiting(demand, count, max(now.wall - first.created - first.suspended_seconds, 0.0))
            for demand, (count, first) in self._jobs.queue_depths().items()
        ]
