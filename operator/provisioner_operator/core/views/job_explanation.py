"""Explain one pending job: the explanation of its demand, or its own reason to wait. Pure."""

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import Explanation, explain_busy_workspace
from provisioner_operator.core.views.snapshot import Snapshot


def explain_job(job: Job, snapshot: Snapshot) -> Explanation | None:
    """Return why the pending job waits; None if a daemon is ready for it, assigned to it, or it is being canceled."""
    if job.assignment is not None or job.cancel:
        return None
    if job.suspend:
        return Explanation(
            PendingReason.SUSPENDED, "It is suspended. To unblock it, set spec.suspend to false (`jobs resume`).", ()
        )
    blocker = snapshot.blocker_of(job)
    if blocker is not None:
        return explain_busy_workspace(job.workspace, blocker)
    return snapshot.explain(job.demand)
