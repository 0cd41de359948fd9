"""Repeat a job that a workspace or a template created: by raising its rebuildGeneration or importGeneration. Pure.

Such a job belongs to its owner, whose status follows only from its own jobs: a copy of it would change the resources
without the owner. Used by `jobs retry` of the command line and by the web server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.enums import JobType
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.core.workspaces.requests import TemplateState, WorkspaceState, import_patch, rebuild_patch


@dataclass(frozen=True, slots=True)
class JobOwner:
    """The workspace or template that created a job."""

    kind: str
    name: str
    uid: str
    job: str
    transition: str = ""
    """Transition of a workspace's build."""


def owner_of(name: str, spec: Mapping[str, Any]) -> JobOwner | None:
    """Return the workspace or template that created the job of this name; None if a user submitted it, or it only plans."""
    if spec.get("type") == JobType.WORKSPACE_PLAN:
        return None
    for kind, field in (("workspace", "workspaceRef"), ("template", "templateRef")):
        reference = spec.get(field) or {}
        if reference.get("uid"):
            return JobOwner(kind, reference["name"], reference["uid"], name, str(spec.get("transition") or ""))
    return None


def repeated_build(workspace: WorkspaceState, owner: JobOwner) -> JsonPatch:
    """Return the change of the workspace that repeats this build; raises NotPossibleError if it would build something else."""
    _require_the_same(workspace.meta, owner)
    if workspace.latest_job != owner.job:
        raise NotPossibleError(
            Cause.NOT_LATEST_BUILD,
            f"{owner.job} is not the latest build of workspace {owner.name}, which is {workspace.latest_job or 'none'}.",
            name=owner.name,
        )
    if workspace.desired_transition != owner.transition:
        desired = workspace.desired_transition.lower()
        raise NotPossibleError(
            Cause.OTHER_TRANSITION,
            f"{owner.job} is a {owner.transition}, but the spec of workspace {owner.name} asks for a {desired}, which is "
            "what a rebuild would do.",
            name=owner.name,
        )
    return rebuild_patch(workspace)


def repeated_import(template: TemplateState, owner: JobOwner) -> JsonPatch:
    """Return the change of the template that imports its source again; raises NotPossibleError for an older version."""
    _require_the_same(template.meta, owner)
    if template.import_job != owner.job:
        raise NotPossibleError(
            Cause.NOT_LATEST_IMPORT,
            f"{owner.job} imported an older version of template {owner.name}; its newest import is "
            f"{template.import_job or 'none'}.",
            name=owner.name,
        )
    return import_patch(template)


def owner_gone(owner: JobOwner) -> NotPossibleError:
    """Return the error for a job whose owner no longer exists."""
    made = "a job submitted by hand would work on resources that no object records"
    return NotPossibleError(
        Cause.OWNER_GONE,
        f"The {owner.kind} {owner.name} that created {owner.job} is gone: {made}. Create the {owner.kind} again.",
        name=owner.name,
    )


def _require_the_same(found: Metadata, owner: JobOwner) -> None:
    if found.uid != owner.uid:
        raise owner_gone(owner)
