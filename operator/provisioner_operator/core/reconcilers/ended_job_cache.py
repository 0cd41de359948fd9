"""Cache the ended jobs that need a write, now or later: after their time to live, or by the history of their namespace.

Part of the cache of jobs.
"""

from provisioner_operator.core.jobs.history import History, HistoryLimits, PastJob, past_job
from provisioner_operator.core.jobs.timeouts import expiry
from provisioner_operator.core.model.records import EndedJob, Job
from provisioner_operator.core.reconcilers.known_jobs import KnownJobs


class EndedJobCache(KnownJobs):
    """Remembers ended jobs, and queues those that are to be deleted or kept since something changed."""

    def keeps_history(self, namespace: str) -> bool:
        """Return whether the policy of the namespace limits how many ended jobs are kept."""
        return namespace in self._histories

    def _remember(self, job: Job) -> None:
        """Keep what is needed of an ended job: while it needs a write, or its namespace's history is about it."""
        due = expiry(job)
        lags = job.observed_generation not in {None, job.generation}
        if job.deleting or not (self._count(job) or due is not None or lags):
            self._forget_ended(job.uid)
            return
        unobserved = job.generation if lags else None
        self._ended[job.uid] = EndedJob(job.namespace, job.name, job.uid, job.resource_version, due, unobserved)
        self._work.add(job.uid)

    def _count(self, job: Job) -> bool:
        """Count an ended job in its namespace's history; return whether that is about it."""
        history = self._histories.get(job.namespace)
        if history is None:
            return False
        past = past_job(job)
        self._work.add(*(history.discard(job.uid) if past is None else history.put(past)))
        return job.uid in history

    def _forget_ended(self, uid: str) -> None:
        """Forget an ended job that needs no write any more, is being deleted, or is gone."""
        known = self._ended.pop(uid, None)
        if known is not None and (history := self._histories.get(known.namespace)) is not None:
            self._work.add(*history.discard(uid))

    def _set_history(self, namespace: str, limits: HistoryLimits | None) -> None:
        """Keep as many ended jobs of the namespace from now on; all if None."""
        former = self._histories.get(namespace)
        if limits == (None if former is None else former.limits):
            return
        self._histories.pop(namespace, None)
        if limits is not None:
            self._histories[namespace] = History(limits)
            # Of jobs that ended without a time to live, those that no number was about are not known.
            self.wants_ended_jobs = True
        for past in () if former is None else former.jobs():
            self._count_anew(self._ended[past.uid], past)

    def _count_anew(self, job: EndedJob, past: PastJob) -> None:
        """Count an ended job in the history that its namespace has by now, or forget it."""
        history = self._histories.get(job.namespace)
        if history is not None:
            self._work.add(*history.put(past))
        if job.due is None and job.unobserved_generation is None and (history is None or job.uid not in history):
            del self._ended[job.uid]
        else:
            self._work.add(job.uid)
