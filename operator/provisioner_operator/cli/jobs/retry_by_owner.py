"""Retry a job that a workspace or a template created: by raising its rebuildGeneration or importGeneration."""

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.rebuilds import describe_rebuild
from provisioner_operator.cli.api.request_errors import precondition_error
from provisioner_operator.cli.errors import NotFoundError
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.workspaces.retry_by_owner import JobOwner, owner_gone, repeated_build, repeated_import
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body
from provisioner_operator.kube.workspace_states import template_state, workspace_state


def retry_by_owner(cluster: Cluster, namespace: str, owner: JobOwner, *, dry_run: bool) -> str:
    """Ask the owner for the job again, and return the outcome in words. Raises PreconditionError if it would do something else."""
    of_workspace = owner.kind == "workspace"
    path = paths.workspace(namespace, owner.name) if of_workspace else paths.template(namespace, owner.name)

    def decide(body: Body) -> JsonPatch:
        if of_workspace:
            return repeated_build(workspace_state(body), owner)
        return repeated_import(template_state(body), owner)

    try:
        before = change(cluster, path, decide, dry_run=dry_run)
    except NotFoundError as error:
        raise precondition_error(owner_gone(owner)) from error
    if of_workspace:
        return f"workspace {owner.name} {describe_rebuild(workspace_state(before), dry_run=dry_run)}"
    return f"template {owner.name} will be imported again{' (dry run)' if dry_run else ''}"
