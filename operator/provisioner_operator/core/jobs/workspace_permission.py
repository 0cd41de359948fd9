"""Decide whether a job may change the Workspace that it names: its own builds, and jobs in the name of its owner.

Admission lets only the user in question, or one who may act for others (`impersonate` on provisionerjobs), set a job's
initiator and its workspaceRef.owner, and only the latter set workspaceRef.uid. But it cannot look up the Workspace.
"""

from provisioner_operator.core.model.records import Job


def may_change_workspace(job: Job, owner: str | None) -> bool:
    """Return whether the job may change its Workspace, of this owner; None if there is no Workspace, or it has none."""
    return not owner or job.builds_workspace or owner in (job.initiator, job.workspace_owner)


def refusal(job: Job, owner: str) -> str:
    """Describe why the job fails, and what to do instead."""
    return (
        f'Workspace {job.workspace} belongs to "{owner}", and the job names another user or none. Change the Workspace '
        "instead, which creates its jobs; or let its owner submit the job, or an administrator with spec.workspaceRef.owner "
        "set to the owner."
    )
