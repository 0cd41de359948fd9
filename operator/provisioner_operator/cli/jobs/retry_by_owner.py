"""Retry a job that a workspace or a template created: by raising its rebuildGeneration or importGeneration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.objects import Body, ObjectMeta, meta_of
from provisioner_operator.cli.api.rebuilds import describe_rebuild, import_patch, rebuild_patch
from provisioner_operator.cli.api.workspace_objects import template_state, workspace_state
from provisioner_operator.cli.errors import NotFoundError, PreconditionError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths


@dataclass(frozen=True, slots=True)
class JobOwner:
    """The workspace or template that created a job."""

    kind: str
    name: str
    uid: str
    job: str
    transition: str = ""
    """Transition of a workspace's build."""


def owner_of(job: Mapping[str, Any]) -> JobOwner | None:
    """Return the workspace or template that created the job; None if a user submitted it."""
    spec, name = job["spec"], meta_of(job).name
    for kind, field in (("workspace", "workspaceRef"), ("template", "templateRef")):
        reference = spec.get(field) or {}
        if reference.get("uid"):
            return JobOwner(kind, reference["name"], reference["uid"], name, str(spec.get("transition") or ""))
    return None


def retry_by_owner(cluster: Cluster, namespace: str, owner: JobOwner, *, dry_run: bool) -> str:
    """Ask the owner for the job again, and return the outcome in words. Raises PreconditionError if it would do something else."""
    of_workspace = owner.kind == "workspace"
    path = paths.workspace(namespace, owner.name) if of_workspace else paths.template(namespace, owner.name)
    decide = repeated_build if of_workspace else repeated_import
    try:
        before = change(cluster, path, lambda body: decide(body, owner), dry_run=dry_run)
    except NotFoundError as error:
        raise PreconditionError(_gone(owner)) from error
    if of_workspace:
        return f"workspace {owner.name} {describe_rebuild(workspace_state(before), dry_run=dry_run)}"
    return f"template {owner.name} will be imported again{' (dry run)' if dry_run else ''}"


def repeated_build(body: Body, owner: JobOwner) -> JsonPatch:
    """Return the change of the workspace that repeats this build; raises PreconditionError if it would build something else."""
    workspace = workspace_state(body)
    _require_the_same(workspace.meta, owner)
    if workspace.latest_job != owner.job:
        raise PreconditionError(
            f"{owner.job} is not the latest build of workspace {owner.name}, which is {workspace.latest_job or 'none'}. "
            f"To build the workspace as it should be now: `workspaces rebuild {owner.name}`."
        )
    if workspace.desired_transition != owner.transition:
        desired = workspace.desired_transition.lower()
        raise PreconditionError(
            f"{owner.job} is a {owner.transition}, but the spec of workspace {owner.name} asks for a {desired}, which is "
            f"what a rebuild would do. Use `workspaces start {owner.name}` or `workspaces stop {owner.name}`."
        )
    return rebuild_patch(workspace)


def repeated_import(body: Body, owner: JobOwner) -> JsonPatch:
    """Return the change of the template that imports its source again; raises PreconditionError for an older version."""
    template = template_state(body)
    _require_the_same(template.meta, owner)
    if template.import_job != owner.job:
        raise PreconditionError(
            f"{owner.job} imported an older version of template {owner.name}; its newest import is "
            f"{template.import_job or 'none'}. To import the present source: `templates import {owner.name}`."
        )
    return import_patch(template)


def _require_the_same(found: ObjectMeta, owner: JobOwner) -> None:
    if found.uid != owner.uid:
        raise PreconditionError(_gone(owner))


def _gone(owner: JobOwner) -> str:
    made = "a job submitted by hand would work on resources that no object records"
    return f"The {owner.kind} {owner.name} that created {owner.job} is gone: {made}. Create the {owner.kind} again."
