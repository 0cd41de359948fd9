"""Explain one pending job: the explanation of its demand, or its own reason to wait. Pure."""

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.jobs.decisions import BEING_DELETED
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import Explanation
from provisioner_operator.core.views.queue_view import QueueView


def explain_job(job: Job, queue: QueueView) -> Explanation | None:
    """Return why the pending job waits; None if a daemon is ready for it, assigned to it, or it is being canceled."""
    if job.cancel:
        return None
    if job.deleting:
        return Explanation(PendingReason.BEING_DELETED, BEING_DELETED, ())
    if job.assignment is not None:
        return None
    if job.suspend:
        return Explanation(
            PendingReason.SUSPENDED, "It is suspended. To unblock it, set spec.suspend to false (`jobs resume`).", ()
        )
    return queue.waits_for(job)
