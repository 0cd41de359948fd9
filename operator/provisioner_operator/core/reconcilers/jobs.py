"""What the API server said, and what follows from it: the controller's memory and its decisions.

The shell tells it what it observed and calls `decide`; everything here can be rebuilt from a list of objects. A decision
counts as under way until the shell says that it is `settled`; meanwhile nothing else is decided about that object, and an
assignment's slot is taken. Nothing in here is authoritative: every write still has to pass its own precondition.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.daemons.decisions import CheckDaemon, MarkOffline
from provisioner_operator.core.daemons.pods import DaemonPods
from provisioner_operator.core.daemons.registry import KnownDaemons
from provisioner_operator.core.jobs.decisions import Assign, CheckJob, Expire, Explain, Release
from provisioner_operator.core.jobs.evaluation import Circumstances, Verdict, judge
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, DaemonPod, Job
from provisioner_operator.core.reconcilers.decisions import Decision
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from provisioner_operator.core.scheduling.explanation import Growth
from provisioner_operator.core.scheduling.explanation_timing import PendingReasons, matches_status
from provisioner_operator.core.scheduling.occupancy import UNLISTED_REPORTS
from provisioner_operator.core.scheduling.placement import Placement

HELD_SECONDS = 5.0
"""How soon an ended job is looked at again whose time to live is over while somebody has to take note of its end."""
EXPLAINED_AT_A_TIME = 64
"""Explanations under way: however many jobs have to be told why they wait, an assignment must not wait behind them."""
LOOKS_A_ROUND = 1000
"""Waiting jobs looked at in one round, some milliseconds' work: with 100,000 waiting, the rest goes on in between."""


def _nobody_holds(_: str) -> bool:
    return False


class Mirror:
    """Live jobs, daemons, queue and clocks of the namespaces that this controller serves."""

    def __init__(self, holds: Callable[[str], bool] = _nobody_holds) -> None:
        """`holds` tells of an ended job, by its uid, whether somebody still has to take note of its end."""
        self._holds = holds
        self._jobs: dict[str, Job] = {}
        self._ended: dict[str, Job] = {}
        self._left: dict[str, int] = {}
        self._under_way: dict[str, Decision] = {}
        self._cancel_seen: dict[str, float] = {}
        self._explaining: set[str] = set()
        self._attention: dict[str, None] = {}
        self._set_aside: set[str] = set()
        self._unlisted: dict[str, int] = {}
        self._clock: KeyedHeap[str, float] = KeyedHeap()
        self._queue = AssignmentQueue()
        self._placement = Placement(self._attention)
        self._pods = DaemonPods()
        self._daemons = KnownDaemons(self._pods)
        self._reasons = PendingReasons()

    # --- what was observed ---

    def observe_job(self, job: Job, now: Instant) -> bool:
        """Take in a job as the API server has it; False if we already know this or a later version of it."""
        known = self._jobs.get(job.uid) or self._ended.get(job.uid)
        known_version = known.resource_version if known is not None else self._left.get(job.uid, -1)
        if job.resource_version <= known_version:
            return False
        self._set_aside.discard(job.uid)
        if job.phase in TERMINAL:
            self._take_out(job.uid, job, now)
            self._left[job.uid] = job.resource_version
            if job.ttl is not None:
                self._ended[job.uid] = job
                self._attention[job.uid] = None
            else:
                self._ended.pop(job.uid, None)
            return True
        previous = self._jobs.get(job.uid)
        self._jobs[job.uid] = job
        self._reassign(previous, job, now)
        if job.cancel:
            self._cancel_seen.setdefault(job.uid, now.monotonic)
        self._attention[job.uid] = None
        return True

    def job_left(self, uid: str) -> None:
        """The watch is past the job's end: an older version can arrive only as the answer to what is under way."""
        if uid not in self._under_way:
            self._left.pop(uid, None)

    def job_deleted(self, uid: str, now: Instant) -> None:
        """The job's object is gone; a run of it may still be stopping."""
        self._set_aside.discard(uid)
        self._take_out(uid, None, now)
        self._ended.pop(uid, None)
        self._left.pop(uid, None)
        self._clock.discard(uid)

    def observe_daemon(self, daemon: Daemon, now: Instant, *, fresh: bool = False) -> bool:
        """Take in a daemon; `fresh` if it was read just now. False if we already know a later version of it."""
        news = self._daemons.observe(daemon, now, fresh=fresh)
        if news is None:
            return False
        self._set_aside.discard(daemon.uid)
        known = news.previous
        if (pod := self._pods.pod_of(daemon)) is not None:
            self._attention[pod.uid] = None
        if known is not None and known.supply != daemon.supply:
            self._queue.remove(known)
        if news.reported or known is None or known.runs != daemon.runs:
            self._placement.report(daemon)
        if news.reported and known is not None:
            self._doubt_unlisted(daemon)
        if news.standing_changed:
            self._reasons.fleet_changed(daemon.namespace, now)
        if news.standing_changed or news.doubts_settled:
            self._placement.attend_jobs_of(daemon.uid)
        self._attention[daemon.uid] = None
        return True

    def daemon_deleted(self, uid: str, now: Instant) -> None:
        """The daemon's object is gone; its process may live on until its own fence."""
        daemon = self._daemons.deleted(uid, now)
        if daemon is not None:
            self._queue.remove(daemon)
            self._reasons.fleet_changed(daemon.namespace, now)
            if (pod := self._pods.daemon_deleted(daemon)) is not None:
                self._attention[pod.uid] = None
        self._placement.attend_jobs_of(uid)
        self._attention[uid] = None

    def observe_pod(self, pod: DaemonPod, now: Instant) -> bool:
        """Take in a Pod that is a daemon; False if this or a later version of it is known."""
        if not self._pods.observe(pod):
            return False
        self._set_aside.discard(pod.uid)
        self._attention[pod.uid] = None
        self._pod_changed(pod.uid, pod.namespace, now)
        return True

    def observe_growth(self, pool_uid: str, growth: Growth | None, now: Instant) -> None:
        """Take note of a pool that makes daemons when jobs wait; None if it does so no longer."""
        self._reasons.growth_changed(pool_uid, growth, now)

    def pod_deleted(self, uid: str, namespace: str, last: DaemonPod | None, now: Instant) -> None:
        """The Pod's object is gone; `last` is how it was at its end, if that is known."""
        self._set_aside.discard(uid)
        self._pods.deleted(uid, last)
        self._pod_changed(uid, namespace, now)

    def contact_regained(self, now: Instant) -> None:
        """The API server could not be reached and now can be: until now nobody's silence meant anything."""
        self._daemons.contact_regained(now)
        self._attention.update(dict.fromkeys(self._daemons.judged()))

    def set_aside(self, uid: str) -> None:
        """The object is in a state that cannot be read: nothing is decided about it until it can be again."""
        self._set_aside.add(uid)
        self._reasons.forget(uid)
        self._queue.dequeue(uid)
        if (daemon := self._daemons.get(uid)) is not None:
            self._queue.offer(daemon, 0)

    def settled(self, uid: str, now: Instant) -> None:
        """The decision about this object was carried out, or refused; what is known of it by now holds."""
        decision = self._under_way.pop(uid, None)
        self._explaining.discard(uid)
        current = self._jobs.get(uid)
        if (
            isinstance(decision, Explain)
            and current is not None
            and not matches_status(current, decision.reason, decision.message)
        ):
            self._reasons.look_soon(uid, now)
        if isinstance(decision, Assign):
            holder = current.assignment.daemon_uid if current is not None and current.assignment is not None else None
            if holder != decision.daemon.uid:
                self._placement.take(decision.daemon.uid, uid)
            if holder is None and current is not None:
                self._placement.join(current)
        self._attention[uid] = None

    def tidy(self, now: Instant) -> None:
        """For who only watches, now and then: let go of what is over, as deciding does by the way."""
        self._attention.update(dict.fromkeys(self._clock.pop_due(now.monotonic)))
        gone = [uid for uid in self._attention if not self._is_there(uid)]
        for uid in gone:
            del self._attention[uid]
            self._decide_one(uid, now)  # of what is not there nothing is decided

    # --- what follows ---

    def decide(self, now: Instant) -> Iterator[Decision]:
        """All that is due now. Each decision is under way until it is `settled`.

        To be consumed to its end. Should an object that nobody thought of raise, what was yielded stands, that object
        is passed over until it changes, and the next call goes on with the rest.
        """
        self._attention.update(dict.fromkeys(self._clock.pop_due(now.monotonic)))
        while self._attention:
            uid, _ = self._attention.popitem()
            if uid in self._under_way or uid in self._set_aside:
                continue
            if (decision := self._decide_one(uid, now)) is not None:
                self._under_way[uid] = decision
                yield decision
        yield from self._assign(now)
        yield from self._explain(now)

    def next_wake(self) -> float | None:
        """When to call `decide` even if nothing is observed, on the monotonic clock; None if never."""
        first = self._clock.peek()
        looks = [first[0]] if first is not None else []
        if len(self._explaining) < EXPLAINED_AT_A_TIME and (look := self._reasons.next_look()) is not None:
            looks.append(look)
        return min(looks, default=None)

    # --- what is known, for metrics and the shell ---

    def job(self, uid: str) -> Job | None:
        """A job that has not ended, as last observed."""
        return self._jobs.get(uid)

    def jobs(self) -> Iterator[Job]:
        """All jobs that have not ended."""
        return iter(self._jobs.values())

    def daemons(self) -> Iterator[tuple[Daemon, bool]]:
        """All daemons, and whether each is online."""
        return ((daemon, self._daemons.is_online(daemon)) for daemon in self._daemons)

    def pod_of(self, daemon_uid: str) -> str | None:
        """The uid of the Pod that owns the daemon; None for a daemon without one, or that is not known any more."""
        daemon = self._daemons.get(daemon_uid)
        return daemon.pod_uid if daemon is not None else None

    def daemon_of_pod(self, pod_uid: str) -> tuple[Daemon, bool, int] | None:
        """The daemon that the Pod is, whether it takes jobs unless it is cordoned, and how many of its slots are taken."""
        daemon = self._daemons.get(self._pods.daemon_of(pod_uid) or "")
        if daemon is None:
            return None
        return daemon, self._daemons.works(daemon), self._placement.used(daemon.uid)

    def queue_depths(self) -> dict[Demand, tuple[int, Job]]:
        """Jobs that only wait for a daemon: how many of each demand, and the first of them."""
        return self._queue.depths()

    def uids(self) -> tuple[frozenset[str], frozenset[str]]:
        """The uids of live jobs and of daemons, to sweep what a missed deletion left behind."""
        return frozenset(self._jobs), self._daemons.uids()

    def pod_uids(self) -> dict[str, str]:
        """The uids of daemons' Pods, each with its namespace, to sweep what a missed deletion left behind."""
        return self._pods.uids()

    # --- inside ---

    def _is_there(self, uid: str) -> bool:
        return uid in self._jobs or uid in self._ended or uid in self._daemons or self._pods.knows(uid)

    def _decide_one(self, uid: str, now: Instant) -> Decision | None:
        job = self._jobs.get(uid) or self._ended.get(uid)
        if job is not None:
            return self._decide_job(job, now)
        if self._daemons.is_judged(uid):
            return self._decide_daemon(uid, now)
        return self._pods.decide(uid) if self._pods.knows(uid) else None

    def _decide_job(self, job: Job, now: Instant) -> Decision | None:
        if self._unlisted.get(job.uid, 0) >= UNLISTED_REPORTS:
            del self._unlisted[job.uid]
            return CheckJob(job)
        verdict = judge(job, self._circumstances(job, now), now)
        if isinstance(verdict.decision, Expire) and self._holds(job.uid):
            verdict = Verdict(look_again_in=HELD_SECONDS)
        if isinstance(verdict.decision, Release):
            self._shun_if_unresponsive(verdict.decision, now)
        if verdict.look_again_in is not None:
            self._clock.put(job.uid, now.monotonic + verdict.look_again_in)
        else:
            self._clock.discard(job.uid)
        waits = verdict.decision is None and job.may_start
        if waits:
            self._reasons.waits(job, now)
        if waits and self._placement.is_turn_of(job):
            self._queue.enqueue(job)
            if job.reason == PendingReason.WORKSPACE_BUSY:
                self._reasons.look_soon(job.uid, now)
        else:
            self._queue.dequeue(job.uid)
        return verdict.decision

    def _circumstances(self, job: Job, now: Instant) -> Circumstances:
        given = job.assignment
        if given is None:
            return Circumstances(cancel_seen=self._cancel_seen.get(job.uid))
        if not self._daemons.is_judged(given.daemon_uid):
            self._daemons.deleted(given.daemon_uid, now)
            self._attention[given.daemon_uid] = None
        daemon = self._daemons.get(given.daemon_uid)
        replaced = given.instance is not None and self._is_replaced(given.daemon_uid, given.instance)
        return Circumstances(
            daemon=daemon,
            offline=daemon is not None and not self._daemons.is_online(daemon),
            lost=replaced or self._daemons.is_lost(given.daemon_uid, now),
            pod_ended=self._pods.ending_of(given.daemon_uid),
            cancel_seen=self._cancel_seen.get(job.uid),
        )

    def _decide_daemon(self, uid: str, now: Instant) -> Decision | None:
        if (look := self._daemons.next_look(uid, now)) is not None:
            self._clock.put(uid, look)
        else:
            self._clock.discard(uid)
        if self._daemons.is_lost(uid, now):
            self._placement.lose(uid)
        daemon = self._daemons.get(uid)
        if daemon is None:
            if self._placement.is_clear(uid):
                self._daemons.forget(uid)
                self._placement.forget(uid)
                self._clock.discard(uid)
            return None
        self._offer(daemon, now)
        decision = self._daemons.decide(uid, now)
        if isinstance(decision, CheckDaemon):
            self._clock.discard(uid)
        elif isinstance(decision, MarkOffline):
            self._placement.attend_jobs_of(uid)
            self._reasons.fleet_changed(daemon.namespace, now)
        return decision

    def _assign(self, now: Instant) -> Iterator[Decision]:
        for job, daemon in self._queue.match():
            decision = Assign(job, daemon)
            self._under_way[job.uid] = decision
            self._placement.reserve(daemon, job)
            self._offer(self._daemons[daemon.uid], now)
            yield decision

    def _explain(self, now: Instant) -> Iterator[Decision]:
        if len(self._explaining) >= EXPLAINED_AT_A_TIME:
            return
        for uid in islice(self._reasons.due(self._candidates, now), LOOKS_A_ROUND):
            job = self._jobs.get(uid)
            if job is None or not job.may_start:
                continue
            if uid in self._under_way:
                self._reasons.look_soon(uid, now)
                continue
            explanation = self._reasons.of(job, self._blocking_job(job), self._candidates, now)
            if explanation is not None and not matches_status(job, explanation.reason, explanation.message):
                self._queue.dequeue(uid)  # until it is settled: one decision about a job at a time
                decision = Explain(job, explanation.reason, explanation.message)
                self._under_way[uid] = decision
                self._explaining.add(uid)
                yield decision
                if len(self._explaining) >= EXPLAINED_AT_A_TIME:
                    return

    def _blocking_job(self, job: Job) -> str | None:
        """The name of what goes first in the job's workspace; None if it is the job's turn."""
        if self._placement.is_turn_of(job):
            return None
        blocker = self._jobs.get(self._placement.blocker_of(job) or "")
        return blocker.name if blocker is not None else "an earlier job whose run is still being stopped"

    def _candidates(self, namespace: str) -> Iterator[tuple[Daemon, bool, bool]]:
        for daemon in self._daemons:
            if daemon.namespace == namespace:
                yield daemon, self._daemons.works(daemon), daemon.capacity > self._placement.used(daemon.uid)

    def _offer(self, daemon: Daemon, now: Instant) -> None:
        room = daemon.capacity - self._placement.used(daemon.uid)
        self._queue.offer(daemon, room if self._daemons.takes_jobs(daemon, now) else 0)

    def _doubt_unlisted(self, daemon: Daemon) -> None:
        """A started job that its daemon leaves out again and again has ended, and no watch told us."""
        listed = {run.job_uid for run in daemon.runs}
        for uid in self._placement.jobs_of(daemon.uid):
            job = self._jobs.get(uid)
            if job is None or job.phase not in STARTED or uid in listed:
                self._unlisted.pop(uid, None)
                continue
            self._unlisted[uid] = self._unlisted.get(uid, 0) + 1
            self._attention[uid] = None

    def _pod_changed(self, uid: str, namespace: str, now: Instant) -> None:
        """What the Pod's daemon may get, or whether it lives, may have changed."""
        daemon_uid = self._pods.daemon_of(uid)
        if daemon_uid is None:
            return
        self._daemons.pod_changed(daemon_uid)
        self._reasons.fleet_changed(namespace, now)
        self._placement.attend_jobs_of(daemon_uid)
        self._attention[daemon_uid] = None

    def _is_replaced(self, daemon_uid: str, instance: str) -> bool:
        """Whether that process of the daemon is certainly gone; if there is doubt, have the daemon read afresh."""
        if self._daemons.doubts(daemon_uid, instance):
            self._attention[daemon_uid] = None
        return self._daemons.is_replaced(daemon_uid, instance)

    def _reassign(self, previous: Job | None, job: Job, now: Instant) -> None:
        old = previous.assignment if previous is not None else None
        new = job.assignment
        if old is not None and (new is None or new.daemon_uid != old.daemon_uid):
            self._placement.take(old.daemon_uid, job.uid)
        if new is not None:
            self._placement.give(new.daemon_uid, job)
        under_way = isinstance(self._under_way.get(job.uid), Assign)
        if new is not None or job.phase in STARTED or under_way:
            self._queue.dequeue(job.uid)
            self._reasons.forget(job.uid)
            self._placement.occupy(job)
        else:
            self._placement.join(job)
            if job.may_start:
                self._reasons.waits(job, now)
            else:
                self._reasons.forget(job.uid)

    def _take_out(self, uid: str, ended: Job | None, now: Instant) -> None:
        """Remove a live job that ended, or whose object is gone (`ended` None)."""
        job = self._jobs.pop(uid, None)
        self._unlisted.pop(uid, None)
        self._cancel_seen.pop(uid, None)
        self._queue.dequeue(uid)
        self._reasons.forget(uid)
        self._clock.discard(uid)
        if job is None:
            return
        given = (ended or job).assignment
        vanished = given is not None and self._daemons.is_lost(given.daemon_uid, now)
        self._placement.end(job, ended, vanished=vanished)

    def _shun_if_unresponsive(self, decision: Release, now: Instant) -> None:
        given = decision.job.assignment
        if given is not None and self._daemons.shun(given.daemon_uid, now):
            self._attention[given.daemon_uid] = None
