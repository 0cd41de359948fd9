"""Policy of spec.updatePolicy: the version of its template that a workspace is built with.

A pinned version (spec.templateRef.version) wins over every policy. Otherwise Always follows the template's active
version, OnStart moves to it with the next start, and Manual keeps the version of the last build.
"""

from provisioner_operator.api.v1alpha1.enums import UpdatePolicy
from provisioner_operator.core.workspaces.records import Workspace


def version_to_build(workspace: Workspace, built: str | None, active: str | None) -> str | None:
    """Return the version of the next build, given the last one built and the active one; None if there is none."""
    if workspace.pinned_version is not None:
        return workspace.pinned_version
    if workspace.update_policy is UpdatePolicy.ALWAYS:
        return active or built
    return built or active


def version_of_next_start(workspace: Workspace, version: str | None, active: str | None) -> str | None:
    """Return the version of a start that is due anyway, and would otherwise be built with `version`."""
    updates = workspace.pinned_version is None and workspace.update_policy is UpdatePolicy.ON_START
    return active or version if updates else version
