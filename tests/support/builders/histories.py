"""The plain definition of a history: which ended jobs are to be deleted, from a list of all."""

from collections.abc import Iterable

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, Phase
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.records import RUN_HALF_LIVES, Queue


def plain_dues(queue: Queue | None, ended: Iterable[Job]) -> dict[str, float]:
    """Return the time from which each of the ended jobs is to be deleted, by uid, without those that are kept."""
    jobs = [job for job in ended if not job.deleting]
    dues = {job.uid: job.finished + job.ttl for job in jobs if job.finished is not None and job.ttl is not None}
    if queue is None or queue.history is None:
        return dues
    fairness = queue.policy.fairness
    patience = 0 if fairness is None else RUN_HALF_LIVES * fairness.half_life
    counting = [job for job in jobs if _counts(job)]
    for job in counting:
        if _is_beyond(queue.history, job, [other for other in counting if _end(other) > _end(job)]):
            due = (job.finished or 0) + (0 if job.started is None else patience)
            dues[job.uid] = min(due, dues.get(job.uid, due))
    return dues


def _is_beyond(limits: HistoryLimits, job: Job, later: list[Job]) -> bool:
    same_outcome = sum(_is_completed(other) == _is_completed(job) for other in later)
    same_workspace = sum(other.workspace == job.workspace for other in later)
    of_outcome = limits.completed if _is_completed(job) else limits.failed
    of_workspace = None if job.workspace is None else limits.per_workspace
    return (of_outcome is not None and same_outcome >= of_outcome) or (
        of_workspace is not None and same_workspace >= of_workspace
    )


def _counts(job: Job) -> bool:
    is_exempt = job.keeps_plan or job.background_reason is BackgroundWork.DRIFT
    return job.finished is not None and not is_exempt


def _is_completed(job: Job) -> bool:
    return job.phase is Phase.COMPLETED


def _end(job: Job) -> tuple[float, str]:
    return job.finished or 0, job.uid
