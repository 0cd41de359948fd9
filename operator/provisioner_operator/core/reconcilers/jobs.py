"""Reconcile jobs, queues, daemons and their Pods, one object at a time, from the cache.

The controller calls `decide` after each change and at `next_wake`. A decision is under way until it is `settled`;
meanwhile nothing else is decided about that object, and the slot of an assignment is occupied.
"""

from collections.abc import Callable, Iterator

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.daemons.decisions import MarkOffline, ReleaseDaemon
from provisioner_operator.core.daemons.registry import UNKNOWN_TO_BACKUP
from provisioner_operator.core.jobs.decisions import Assign, CheckJob, Expire, Explain, RecordGeneration, Release
from provisioner_operator.core.jobs.evaluation import Context, evaluate
from provisioner_operator.core.jobs.workspace_permission import Ownership
from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon, EndedJob, Job
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.queue_statuses import QueueStatuses
from provisioner_operator.core.scheduling.workspace_queue import EVERYWHERE, NamespacedName, workspace_named_by

HELD_SECONDS = 5.0
"""Requeue interval of a job to be deleted that is held until the status of its workspace or template records its end."""


def _nobody_holds(_: str) -> bool:
    return False


def _no_workspace(_: NamespacedName) -> Ownership | None:
    return None


class JobReconciler(QueueStatuses):
    """Decides what jobs, daemons and Pods need, by their specs, deadlines and heartbeats."""

    def __init__(
        self,
        holds: Callable[[str], bool] = _nobody_holds,
        ownership_of: Callable[[NamespacedName], Ownership | None] = _no_workspace,
        tell_unsaved: Callable[[NamespacedName, str | None], None] | None = None,
    ) -> None:
        """Keep an expired job as long as `holds`, given its uid, is true; `ownership_of` returns that of a Workspace, if it exists.

        `tell_unsaved` is called with why a workspace's state is not saved yet, and with None when that is over.
        """
        super().__init__()
        self._tell_unsaved = tell_unsaved or self._tell_unsaved
        self._holds = holds
        self._ownership_of = ownership_of

    def leadership_gained(self, now: Instant, restored: float | None = None) -> None:
        """Distrust that every job was observed: a watch may have ended unnoticed, and a run's job be deleted before or since.

        `restored` is the wall-clock time at which a restore of etcd was last noticed.
        """
        self._claimable.clear()
        self._daemons.begin_term(now, restored)
        if self._daemons.is_judged(UNKNOWN_TO_BACKUP) and self._daemons.may_hide_runs(UNKNOWN_TO_BACKUP, now):
            self._work.add(*self._placement.hold(UNKNOWN_TO_BACKUP, EVERYWHERE), UNKNOWN_TO_BACKUP)
        for daemon in self._daemons:
            self._work.add(*self._placement.trust_claims(daemon), daemon.uid)
            # One that cannot be parsed is not held against its namespace: nothing would ever end that.
            if not self._daemons.is_unreadable(daemon.uid) and self._daemons.may_hide_runs(daemon.uid, now):
                self._work.add(*self._placement.hold(daemon.uid, daemon.namespace))

    # --- the outcome of decisions ---

    def accepted(self, decision: JobReconcilerDecision) -> None:
        """Record that the write succeeded, and reset the backoff."""
        if isinstance(decision, Explain):
            self._unexplained.pop(decision.subject, None)
        else:
            self._work.forget(decision.subject)

    def refused(self, decision: JobReconcilerDecision, refusal: Refusal, now: Instant) -> bool:
        """Record that the API server refused the write, and back off; return whether to report it."""
        uid, kind = decision.subject, type(decision).__name__
        if not self._is_known(uid):
            return False
        if isinstance(decision, Explain):
            return self._unexplained.setdefault(uid, Backoff()).refused(kind, refusal, now.monotonic)
        return self._work.back_off(uid, kind, refusal, now.monotonic)

    def settled(self, decision: JobReconcilerDecision, now: Instant) -> None:
        """End a decision, whatever its outcome, and queue its object; the cache holds what is known by now."""
        uid = decision.subject
        self._work.done(uid)
        self._explaining.leave(uid)
        self._assigning.discard(uid)
        current = self._jobs.get(uid)
        if isinstance(decision, Explain) and current is not None:
            self._explain_again(decision, current, now)
        if isinstance(decision, Assign):
            holder = current.assignment.daemon_uid if current is not None and current.assignment is not None else None
            # The slot was reserved with the decision; a response, if there was one, was observed before this.
            if holder != decision.daemon.uid:
                self._work.add(*self._placement.take(decision.daemon.uid, uid))
            if holder is None and current is not None:
                self._queue.free_slot(uid)
                self._work.add(*self._placement.join(current))
        self._work.add(uid)

    # --- the loop ---

    def decide(self, now: Instant) -> Iterator[JobReconcilerDecision]:
        """Yield all decisions that are due. Each is under way until it is `settled`.

        Must be consumed to its end. If an unforeseen object raises an error, the decisions that were yielded stand, that
        object is skipped until it changes, and the next call continues with the others.
        """
        while (uid := self._work.pop(now.monotonic)) is not None:
            if (decision := self._decide_one(uid, now)) is not None:
                self._work.begin(uid)
                yield decision
        # Only after every change has been processed: a job's cancel takes precedence over its assignment.
        yield from self._assign(now)
        # Last, so that no job is explained that has just been assigned.
        yield from self._explain(now)

    def next_wake(self) -> float | None:
        """Return the monotonic time at which to call `decide` even if nothing is observed; None if never."""
        looks = (self._work.next_wake(), self._reasons.next_look())
        return min((look for look in looks if look is not None), default=None)

    def tidy(self, now: Instant) -> None:
        """Remove objects that are gone from the queue, as `decide` does; called occasionally while another controller leads."""
        for uid in self._work.ready(now.monotonic):
            if not self._is_known(uid):
                self._work.discard(uid)
                self._decide_one(uid, now)  # decides nothing about an object that is gone

    # --- one object ---

    def _is_known(self, uid: str) -> bool:
        if uid in self._jobs or uid in self._ended or uid in self._policies:
            return True
        return uid in self._daemons or self._daemons.is_unreadable(uid) or self._pods.knows(uid)

    def _decide_one(self, uid: str, now: Instant) -> JobReconcilerDecision | None:
        if (job := self._jobs.get(uid)) is not None:
            return self._decide_job(job, now)
        if (ended := self._ended.get(uid)) is not None:
            return self._decide_ended(ended, now)
        if uid in self._policies:
            return self._decide_queue(uid, now)
        if self._daemons.is_unreadable(uid):
            return self._decide_unreadable_daemon(uid, now)
        if self._daemons.is_judged(uid):
            return self._decide_daemon(uid, now)
        return self._pods.decide(uid) if self._pods.knows(uid) else None

    def _decide_job(self, job: Job, now: Instant) -> JobReconcilerDecision | None:
        if self._unlisted.must_be_read(job.uid):
            return CheckJob(job)
        evaluation = evaluate(job, self._context(job, now), now)
        if isinstance(evaluation.decision, Release):
            self._back_off_if_unresponsive(evaluation.decision, now)
        after = evaluation.requeue_after
        self._work.add_after(job.uid, None if after is None else now.monotonic + after)
        waits = evaluation.decision is None and job.may_start
        if waits:
            self._reasons.waits(job, now)
        self._note_claimable(job, now, waits=waits)
        if waits and self._placement.is_turn_of(job):
            self._queue.enqueue(job)
            if job.reason in (PendingReason.WORKSPACE_BUSY, PendingReason.STATE_UNSAVED):
                self._reasons.look_soon(job.uid, now)
        else:
            self._queue.dequeue(job.uid)
        return evaluation.decision

    def _note_claimable(self, job: Job, now: Instant, *, waits: bool) -> None:
        # The wait for the reports that a new leader awaits is not the workspace's, and counts.
        if job.suspend or (waits and self._placement.is_preceded(job)):
            self._claimable.hold(job)
        elif waits:
            self._claimable.free(job, now.wall)

    def _decide_ended(self, job: EndedJob, now: Instant) -> Expire | RecordGeneration | None:
        due = self._due(job)
        wait = None if due is None else due - now.wall
        if wait is not None and wait <= 0:
            # Before its generation, whose write may be refused.
            if not self._holds(job.uid):
                self._work.add_after(job.uid, None)
                return Expire(job)
            wait = HELD_SECONDS
        self._work.add_after(job.uid, None if wait is None else now.monotonic + wait)
        return None if job.unobserved_generation is None else RecordGeneration(job)

    def _due(self, job: EndedJob) -> float | None:
        """Return the time of an ended job's deletion: the end of its time to live, or its history's, which may be over."""
        history = self._histories.get(job.namespace)
        dues = (job.due, None if history is None else history.due(job.uid))
        return min((due for due in dues if due is not None), default=None)

    def _context(self, job: Job, now: Instant) -> Context:
        given, place = job.assignment, workspace_named_by(job)
        workspace = None if place is None else self._ownership_of(place)
        if given is None:
            return Context(workspace=workspace, cancel_seen=self._cancel_seen.get(job.uid))
        pod_ended = self._pods.ending_of(given.daemon_uid)
        if self._daemons.is_unreadable(given.daemon_uid):
            return Context(unreadable=True, workspace=workspace, lost=pod_ended is not None, pod_ended=pod_ended)
        if not self._daemons.is_judged(given.daemon_uid):
            self._daemons.deleted(given.daemon_uid, now)
            self._work.add(given.daemon_uid)
        daemon = self._daemons.get(given.daemon_uid)
        replaced = given.instance is not None and self._is_replaced(given.daemon_uid, given.instance)
        return Context(
            daemon=daemon,
            offline=daemon is not None and not self._daemons.is_online(daemon),
            lost=replaced or self._daemons.is_lost(given.daemon_uid, now),
            pod_ended=pod_ended,
            workspace=workspace,
            cancel_seen=self._cancel_seen.get(job.uid),
        )

    def _is_replaced(self, daemon_uid: str, instance: str) -> bool:
        """Return whether that process of the daemon is certainly gone; if in doubt, queue a fresh read of the daemon."""
        if self._daemons.doubts(daemon_uid, instance):
            self._work.add(daemon_uid)
        return self._daemons.is_replaced(daemon_uid, instance)

    def _back_off_if_unresponsive(self, decision: Release, now: Instant) -> None:
        given = decision.job.assignment
        if given is not None and self._daemons.back_off(given.daemon_uid, now):
            self._work.add(given.daemon_uid)

    def _decide_daemon(self, uid: str, now: Instant) -> JobReconcilerDecision | None:
        self._daemons.note_jobs(uid, now, has_jobs=bool(self._placement.jobs_of(uid)))
        self._work.add_after(uid, self._daemons.next_look(uid, now))
        if self._daemons.is_lost(uid, now):
            self._work.add(*self._placement.lose(uid))
        self._release_if_shown(uid, now)
        daemon = self._daemons.get(uid)
        if daemon is None:
            if self._placement.is_clear(uid):
                self._daemons.forget(uid)
                self._placement.forget(uid)
                self._work.discard(uid)
            return None
        if not self._daemons.are_claims_trusted(uid, now):
            self._work.add(*self._placement.doubt_claims(uid))
        self._offer(daemon, now)
        is_awaited = self._placement.is_holding(uid)
        decision = self._daemons.decide(uid, now, is_clear=self._placement.is_clear(uid), is_awaited=is_awaited)
        if isinstance(decision, MarkOffline):
            self._work.add(*self._placement.jobs_of(uid))
            self._fleet_changed(daemon.namespace, now)
        return decision

    def _decide_unreadable_daemon(self, uid: str, now: Instant) -> ReleaseDaemon | None:
        release, wait = self._daemons.release_of_unreadable(uid, now) or (None, None)
        self._work.add_after(uid, None if wait is None or wait <= 0 else now.monotonic + wait)
        return release if wait is not None and wait <= 0 else None

    # --- the queue ---

    def _assign(self, now: Instant) -> Iterator[JobReconcilerDecision]:
        for job, daemon in self._queue.match(now.wall):
            self._work.begin(job.uid)
            self._assigning.add(job.uid)
            # The slot is occupied at once, before the write: the next match must not find it free.
            self._placement.reserve(daemon, job)
            self._offer(self._daemons[daemon.uid], now)
            yield Assign(job, daemon)

    def _offer(self, daemon: Daemon, now: Instant) -> None:
        room = daemon.capacity - self._placement.used(daemon.uid)
        self._queue.offer(daemon, room if self._daemons.takes_jobs(daemon, now) else 0)
