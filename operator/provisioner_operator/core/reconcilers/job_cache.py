"""Cache jobs, daemons and their Pods as last observed, and queue those that have to be reconciled.

Fed by the controller's observer. The cache can be rebuilt from a list at any time and is not authoritative: every write
still has its own precondition. It decides nothing: that is the job reconciler's part.
"""

from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.gone_objects import DELETED
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon, DaemonPod, Job, UnreadableObject
from provisioner_operator.core.reconcilers.queue_cache import QueueCache
from provisioner_operator.core.scheduling.explanation import Growth, describe_unsaved_state
from provisioner_operator.core.scheduling.queueing.policy import past_run
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName


class JobCache(QueueCache):
    """Takes in each observation, and queues what depends on it."""

    # --- jobs ---

    def observe_job(self, job: Job, now: Instant) -> bool:
        """Observe a job; return False if this or a later version of it is known."""
        known = self._jobs.get(job.uid) or self._ended.get(job.uid)
        is_old = known is not None and job.resource_version <= known.resource_version
        if is_old or self._gone.covers(job.uid, job.resource_version):
            return False
        previous = self._jobs.get(job.uid)
        self._work.unpark(job.uid)
        # The controller explains a job whose other writes are refused, and would end their backoff by that itself.
        if previous is None or not _is_only_explained(previous, job):
            self._work.forget(job.uid)
        self._unexplained.pop(job.uid, None)
        if job.phase in TERMINAL:
            self._observe_end(job, now)
            return True
        self._jobs[job.uid] = job
        self._reassign(previous, job, now)
        if job.namespace in self._queue_of:
            self._jobs_changed(job.namespace)
        if job.cancel:
            self._cancel_seen.setdefault(job.uid, now.monotonic)
        self._work.add(job.uid)
        return True

    def job_deleted(self, uid: str, now: Instant) -> None:
        """Remove a job whose object is gone; its run may still be stopping."""
        self._take_out(uid, None, now)
        self._queue.forget_past_run(uid)
        self._forget_ended(uid)
        self._gone.add(uid)

    def workspace_changed(self, workspace: NamespacedName) -> None:
        """Reconcile the jobs that a Workspace is about to start, since it may belong to another user."""
        self._work.add(*(uid for uid in self._placement.concerned_by(workspace) if uid in self._jobs))

    # --- daemons ---

    def observe_daemon(self, daemon: Daemon, now: Instant, *, fresh: bool = False) -> bool:
        """Observe a daemon; `fresh` if it was read just now. Return False if a later version of it is known."""
        if self._gone.covers(daemon.uid, daemon.resource_version):
            return False
        news = self._daemons.observe(daemon, now, fresh=fresh)
        if news is None:
            return False
        known = news.previous
        if news.eligibility_changed:  # a heartbeat alone changes nothing for a refused write
            self._work.forget(daemon.uid)
        self._requeue_pod_of(daemon, known)
        if known is not None and known.supply != daemon.supply:
            self._queue.remove(known)
        # Before its runs: one of them may have ended and left a state that it could not save.
        self._states_changed(daemon.uid, known, now)
        if news.reported or known is None or known.runs != daemon.runs:
            self._work.add(*self._placement.report(daemon, trusted=self._daemons.are_claims_trusted(daemon.uid, now)))
        self._release_if_shown(daemon.uid, now)  # at once: decisions about the daemon may be held back
        if news.reported and known is not None:
            jobs = [job for uid in self._placement.jobs_of(daemon.uid) if (job := self._jobs.get(uid)) is not None]
            self._work.add(*self._unlisted.report(daemon, jobs))
        if news.eligibility_changed:
            self._fleet_changed(daemon.namespace, now)
        if news.eligibility_changed or news.doubts_settled:
            self._work.add(*self._placement.jobs_of(daemon.uid))
        self._work.add(daemon.uid)
        return True

    def observe_unreadable_daemon(self, daemon: UnreadableObject, now: Instant) -> None:
        """Observe that a daemon exists and cannot be parsed: it gets no job, and those that it has are not judged until it can be."""
        if self._gone.covers(daemon.uid, daemon.resource_version) or not self._daemons.observe_unreadable(daemon):
            return
        if (known := self._daemons.get(daemon.uid)) is not None:
            self._queue.offer(known, 0)
        self._work.add(daemon.uid)
        self._work.add(*self._placement.release(daemon.uid))  # it could hold all builds for as long as it is unreadable
        self._fleet_changed(daemon.namespace, now)

    def daemon_deleted(self, uid: str, now: Instant, *, watched: bool = False) -> None:
        """Remove a daemon whose object is gone, though its process may go on; `watched` if a watch missed no heartbeat before."""
        self._gone.add(uid)
        self._changed(uid)
        daemon = self._daemons.deleted(uid, now, watched=watched)
        if daemon is not None:
            self._queue.remove(daemon)
            self._fleet_changed(daemon.namespace, now)
            if (pod := self._pods.daemon_deleted(daemon)) is not None:
                self._changed(pod.uid)
                self._work.add(pod.uid)
            self._states_changed(uid, daemon, now)
        self._work.add(*self._placement.jobs_of(uid), uid)

    def contact_regained(self, since: float, now: Instant) -> None:
        """Disregard heartbeats missed from `since`, on the monotonic clock: the API server could not be reached until now."""
        self._daemons.contact_regained(since, now)
        self._work.add(*self._daemons.judged())

    # --- Pods and pools ---

    def observe_pod(self, pod: DaemonPod, now: Instant) -> bool:
        """Observe a Pod that is a daemon; return False if this or a later version of it is known."""
        if self._gone.covers(pod.uid, pod.resource_version) or not self._pods.observe(pod):
            return False
        self._changed(pod.uid)
        self._work.add(pod.uid)
        self._pod_changed(pod.uid, pod.namespace, now)
        return True

    def pod_deleted(self, uid: str, namespace: str, last: DaemonPod | None, now: Instant) -> None:
        """Remove a Pod whose object is gone; `last` is its final state, if known."""
        self._work.discard(uid)
        # A Pod whose label was removed is no daemon any more, and may become one again: then its version is later.
        known = self._pods.deleted(uid, last)
        last_seen = last or known
        self._gone.add(uid, DELETED if last_seen is None else last_seen.resource_version)
        self._pod_changed(uid, namespace, now)

    def observe_growth(self, namespace: str, pool_uid: str, growth: Growth | None, now: Instant) -> None:
        """Record the state of a pool that creates daemons when jobs wait; None if it no longer does."""
        self.changed_fleets.add(namespace)
        self._reasons.growth_changed(namespace, pool_uid, growth, now)

    def park(self, uid: str) -> None:
        """Suspend all decisions about a job or Pod that cannot be parsed, until it can be again."""
        self._work.park(uid)
        self._reasons.forget(uid)
        self._queue.dequeue(uid)

    # --- inside ---

    def _changed(self, uid: str) -> None:
        """Reset what holds back decisions about a changed object."""
        self._work.unpark(uid)
        self._work.forget(uid)

    def _observe_end(self, job: Job, now: Instant) -> None:
        self._take_out(job.uid, job, now)
        if job.namespace in self._queue_of and (run := past_run(job)) is not None:
            self._queue.add_past_run(job.namespace, run)
        self._gone.add(job.uid, job.resource_version)
        self._remember(job)

    def _states_changed(self, daemon_uid: str, known: Daemon | None, now: Instant) -> None:
        """Hold up the workspaces whose states only this daemon has: not once its disk is gone with its Pod, or its object is."""
        daemon = self._daemons.get(daemon_uid)
        has_disk = daemon is not None and self._pods.ending_of(daemon_uid) is None
        workspaces = daemon.unsaved_workspaces if daemon is not None and has_disk else frozenset()
        former = frozenset() if known is None else known.unsaved_workspaces
        if not workspaces | former:
            return
        self._work.add(*self._placement.keep_states(daemon_uid, workspaces))
        for workspace in sorted(workspaces | former):
            kept = self._unsaved_state(workspace)
            self._tell_unsaved(workspace, None if kept is None else describe_unsaved_state(*kept))
            # Also those that are not next: what they wait for has changed.
            for uid in self._placement.waiting_in(workspace):
                self._reasons.look_soon(uid, now)

    def _release_if_shown(self, daemon_uid: str, now: Instant) -> None:
        """Hold up no workspace any more for a daemon whose runs are known by now, or over."""
        if self._placement.is_holding(daemon_uid) and not self._daemons.may_hide_runs(daemon_uid, now):
            self._work.add(*self._placement.release(daemon_uid))

    def _requeue_pod_of(self, daemon: Daemon, known: Daemon | None) -> None:
        if (pod := self._pods.pod_of(daemon)) is not None:
            if known is None or known.offer != daemon.offer:  # a heartbeat changes nothing for its Pod
                self._work.forget(pod.uid)
            self._work.add(pod.uid)

    def _pod_changed(self, uid: str, namespace: str, now: Instant) -> None:
        """Queue what depends on a Pod: its daemon may take other jobs now, or be dead."""
        daemon_uid = self._pods.daemon_of(uid)
        if daemon_uid is None:
            return
        self._daemons.pod_changed(daemon_uid)
        if (daemon := self._daemons.get(daemon_uid)) is not None:
            self._states_changed(daemon_uid, daemon, now)
        self._fleet_changed(namespace, now)
        self._work.add(*self._placement.jobs_of(daemon_uid), daemon_uid)

    def _reassign(self, previous: Job | None, job: Job, now: Instant) -> None:
        old = previous.assignment if previous is not None else None
        new = job.assignment
        # The old daemon's slot is freed before the new one's is taken: they may be the same daemon.
        if old is not None and (new is None or new.daemon_uid != old.daemon_uid):
            self._work.add(*self._placement.take(old.daemon_uid, job.uid))
        if new is not None:
            self._work.add(*self._placement.give(new.daemon_uid, job))
        if self._uses_slot(job):
            self._queue.dequeue(job.uid)
            self._queue.take_slot(job)
            self._reasons.forget(job.uid)
            self._work.add(*self._placement.occupy(job))
        else:
            self._queue.free_slot(job.uid)
            self._work.add(*self._placement.join(job))
            if job.may_start:
                self._reasons.waits(job, now)
            else:
                self._reasons.forget(job.uid)

    def _take_out(self, uid: str, ended: Job | None, now: Instant) -> None:
        """Remove an unfinished job that ended, or whose object is gone (`ended` None)."""
        job = self._jobs.pop(uid, None)
        self._unlisted.forget(uid)
        self._cancel_seen.pop(uid, None)
        self._claimable.forget(uid)
        self._unexplained.pop(uid, None)
        self._queue.dequeue(uid)
        self._queue.free_slot(uid)
        self._reasons.forget(uid)
        self._work.discard(uid)
        if job is None:
            return
        if job.namespace in self._queue_of:
            self._jobs_changed(job.namespace)
        given = (ended or job).assignment
        vanished = given is not None and self._daemons.is_lost(given.daemon_uid, now)
        self._work.add(*self._placement.end(job, ended, vanished=vanished))


def _is_only_explained(known: Job, job: Job) -> bool:
    """Return whether the job's explanation changed, and nothing else that a decision about it depends on."""
    is_explained = (job.reason, job.message) != (known.reason, known.message)
    return is_explained and _what_is_decided_by(job) == _what_is_decided_by(known)


def _what_is_decided_by(job: Job) -> tuple[object, ...]:
    return (job.generation, job.deleting, job.phase, job.assignment)
