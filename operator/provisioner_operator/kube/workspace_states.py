"""Read those fields of workspaces and templates that requests decide by. Pure; used by the command line and the web server.

Read from plain JSON: a request may change also an object that this version's models refuse.
"""

from collections.abc import Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, StatusCondition, UpdatePolicy
from provisioner_operator.core.workspaces.requests import TemplateState, WorkspaceState
from provisioner_operator.kube.object_states import meta_of


def workspace_state(body: Mapping[str, Any]) -> WorkspaceState:
    """Return the state of a workspace."""
    spec, status = body["spec"], body.get("status") or {}
    reference, latest = spec["templateRef"], status.get("latestBuild") or {}
    chosen = spec.get("parameters")
    return WorkspaceState(
        meta=meta_of(body),
        template=reference["name"],
        running=bool(spec.get("running", True)),
        deleting=bool(body["metadata"].get("deletionTimestamp")),
        rebuild_generation=int(spec.get("rebuildGeneration") or 0),
        pinned_version=reference.get("version"),
        update_policy=UpdatePolicy(spec.get("updatePolicy") or UpdatePolicy.MANUAL),
        latest_job=str(latest.get("job") or ""),
        latest_transition=str(latest.get("transition") or ""),
        latest_version=str(latest.get("version") or ""),
        outdated=next(
            (
                str(each.get("message") or "")
                for each in status.get("conditions") or ()
                if each.get("type") == StatusCondition.OUTDATED and each.get("status") == "True"
            ),
            "",
        ),
        parameters=None if chosen is None else {str(each["name"]): str(each["value"]) for each in chosen},
        autostop_seconds=spec.get("autostopSeconds"),
        deletion_policy=DeletionPolicy(spec.get("deletionPolicy") or DeletionPolicy.DELETE),
    )


def template_state(body: Mapping[str, Any]) -> TemplateState:
    """Return the state of a template."""
    spec, status = body["spec"], body.get("status") or {}
    versions = status.get("versions") or ()
    return TemplateState(
        meta=meta_of(body),
        import_generation=int(spec.get("importGeneration") or 0),
        active_version=str(status.get("activeVersion") or ""),
        import_job=str(versions[-1].get("importJob") or "") if versions else "",
    )
