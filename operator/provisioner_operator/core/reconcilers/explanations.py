"""Explain pending jobs from the cache: which explanation is due, and for how many at a time."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from provisioner_operator.core.daemons.registry import UNKNOWN_TO_BACKUP
from provisioner_operator.core.jobs.decisions import Explain
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.job_cache import JobCache
from provisioner_operator.core.scheduling.explanation import (
    Explanation,
    explain_awaited_reports,
    explain_busy_workspace,
    explain_limit,
    explain_restore,
    explain_unsaved_state,
)
from provisioner_operator.core.scheduling.explanation_places import ExplanationPlaces
from provisioner_operator.core.scheduling.explanation_timing import Candidates, matches_status
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.scheduling.workspace_queue import workspace_of

LOOKS_A_ROUND = 1000
"""Maximum number of waiting jobs visited in one round, which takes some milliseconds; the others follow in later rounds."""

LIMIT_LOOK_SECONDS = 120.0
"""Time after which a job for which a limit counts is visited again."""


class _Fleets(dict[str, Sequence[Candidate]]):
    """Candidates by namespace, collected at most once in a round."""

    def __init__(self, candidates: Candidates) -> None:
        super().__init__()
        self._candidates = candidates

    def __missing__(self, namespace: str) -> Sequence[Candidate]:
        found = self[namespace] = self._candidates(namespace)
        return found


class JobExplanations(JobCache):
    """Decides which waiting jobs get another explanation. Used by the job reconciler, whose decisions come first."""

    def __init__(self) -> None:
        super().__init__()
        self._explaining = ExplanationPlaces()

    def _explain(self, now: Instant) -> Iterator[Explain]:
        fleet = _Fleets(self._candidates).__getitem__
        for uid in islice(chain(self._explaining.admitted(), self._reasons.due(fleet, now)), LOOKS_A_ROUND):
            decision = self._explanation_of(uid, fleet, now)
            if decision is not None and self._explaining.take(uid, decision.job.namespace):
                self._queue.dequeue(uid)  # until it is settled: one decision about a job at a time
                self._work.begin(uid)
                yield decision

    def _explanation_of(self, uid: str, fleet: Candidates, now: Instant) -> Explain | None:
        if uid not in self._reasons:
            return None  # it may not start any more, or is gone
        job = self._jobs[uid]
        refused = self._unexplained.get(uid)
        if refused is not None and refused.is_active(now.monotonic):
            self._reasons.look_at(uid, refused.until)
            return None
        if self._work.is_under_way(uid):
            self._reasons.look_soon(uid, now)
            return None
        if (queue := self.policy_queues.of(job.namespace)) is not None and queue.policy.limits_of(job):
            # Whether a limit is reached changes with every job, and nobody visits those that wait for it.
            self._reasons.look_at(uid, now.monotonic + LIMIT_LOOK_SECONDS)
        explanation = self._reasons.of(job, self._busy(job), fleet, now, held=self._held(job))
        if explanation is None or matches_status(job, explanation.reason, explanation.message):
            return None
        return Explain(job, explanation.reason, explanation.message)

    def _explain_again(self, decision: Explain, current: Job, now: Instant) -> None:
        """Revisit a job whose status does not have the explanation: after the backoff, if the write was refused."""
        refused = self._unexplained.get(current.uid)
        if refused is not None:
            self._reasons.look_at(current.uid, refused.until)
        elif not matches_status(current, decision.reason, decision.message):
            self._reasons.look_soon(current.uid, now)

    def _busy(self, job: Job) -> Explanation | None:
        """Explain what goes first in the job's workspace; None if it is this job's turn."""
        if self._placement.is_turn_of(job) or self._awaited(job) is not None:
            return None
        if (kept := self._unsaved_state(workspace_of(job))) is not None:
            return explain_unsaved_state(*kept)
        blocker = self._jobs.get(self._placement.blocker_of(job) or "")
        return explain_busy_workspace(job.workspace, None if blocker is None else blocker.name)

    def _awaited(self, job: Job) -> str | None:
        """Return the uid of a daemon whose reports all jobs of workspaces wait for, if the job waits for nothing else before."""
        first = self._placement.blocker_of(job)
        is_kept = self._unsaved_state(workspace_of(job)) is not None
        return first if first is not None and self._placement.is_holding(first) and not is_kept else None

    def _held(self, job: Job) -> Explanation | None:
        """Explain what holds up the job though it is first in its workspace: reports that are awaited, or a limit; None if nothing does."""
        if (awaited := self._awaited(job)) == UNKNOWN_TO_BACKUP:
            return explain_restore()
        if awaited is not None:
            daemon = self._daemons.get(awaited)
            return explain_awaited_reports(None if daemon is None else daemon.name)
        queue = self.policy_queues.of(job.namespace)
        limit = None if queue is None else queue.limit_of(job)
        return None if queue is None or limit is None else explain_limit(queue, limit)

    def _candidates(self, namespace: str) -> list[Candidate]:
        advised = (self._pods.daemon_named(namespace, name) for name in self._reasons.advised(namespace))
        return self._kinds.candidates(namespace, [daemon.uid for daemon in advised if daemon is not None])
