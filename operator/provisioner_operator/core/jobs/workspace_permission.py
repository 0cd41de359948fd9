"""Decide whether a job may work on the Workspace that it names: its own builds, and jobs in the name of its owner.

One that requires approval is built only by jobs that apply the plan that is approved, whoever submits them.

Admission lets only the user in question, or one who may act for others (`impersonate` on provisionerjobs), set a job's
initiator and its workspaceRef.owner, and only the latter set the workspaceRef.uid of a build. But it cannot look up the
Workspace. The same holds for a plan, which reads the workspace.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType
from provisioner_operator.core.model.records import Job


@dataclass(frozen=True, slots=True)
class Ownership:
    """Ownership of a Workspace that exists."""

    owner: str | None
    """Name of the owner; None or empty if it has none."""
    unreadable: bool = False
    """Whether the Workspace cannot be parsed: without an owner, it is then nobody's instead of everybody's."""
    needs_approval: bool = False
    approved: str | None = None
    """Digest of the plan that is approved."""


def reason_to_refuse(job: Job, workspace: Ownership) -> tuple[EndReason, str] | None:
    """Return the reason why the job may not work on its Workspace, and the reason in words; None if it may."""
    if not may_change_workspace(job, workspace):
        return EndReason.NOT_WORKSPACE_OWNER, refusal(job, workspace)
    if lacks_approval(job, workspace):
        return EndReason.APPROVAL_REQUIRED, no_approval(job)
    return None


def may_change_workspace(job: Job, workspace: Ownership) -> bool:
    """Return whether the job may change its Workspace."""
    if job.builds_workspace:
        return True
    return workspace.owner in (job.initiator, job.workspace_owner) if workspace.owner else not workspace.unreadable


def lacks_approval(job: Job, workspace: Ownership) -> bool:
    """Return whether the job would build a Workspace that requires approval, without its approved plan."""
    if not workspace.needs_approval or job.type is not JobType.WORKSPACE_BUILD:
        return False
    return not job.builds_workspace or job.plan_digest is None or job.plan_digest != workspace.approved


def no_approval(job: Job) -> str:
    """Describe why the job fails, and what to do instead."""
    if not job.builds_workspace:
        return (
            f"Workspace {job.workspace} requires approval of its builds, so no job that is submitted directly may build it. Change the "
            "Workspace instead: that plans a build, which can be approved."
        )
    return f"Workspace {job.workspace} requires approval of its builds, and the plan of this one is not, or no longer, approved."


def refusal(job: Job, workspace: Ownership) -> str:
    """Describe why the job fails, and what to do instead."""
    if not workspace.owner:
        return (
            f"Workspace {job.workspace} cannot be parsed and names no owner, so it is not known who may change it. Correct "
            "the Workspace as its Event Unparseable says, or update the controller; then submit the job again."
        )
    return (
        f'Workspace {job.workspace} belongs to "{workspace.owner}", and the job names another user or none. Change the '
        "Workspace instead, which creates its jobs; or let its owner submit the job, or an administrator with "
        "spec.workspaceRef.owner set to the owner."
    )
