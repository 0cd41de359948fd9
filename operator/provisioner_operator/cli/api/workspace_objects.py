"""Typed records of workspaces and templates, with the fields that commands decide by. Pure.

Read from plain JSON: a command may change also an object that this version's models refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.enums import StatusCondition, Transition, UpdatePolicy
from provisioner_operator.cli.api.objects import ObjectMeta, meta_of


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """Desired state of a workspace, and its latest build."""

    meta: ObjectMeta
    template: str
    running: bool
    deleting: bool
    rebuild_generation: int
    pinned_version: str | None
    update_policy: UpdatePolicy
    latest_job: str
    """Name of the latest build's job; empty if there is none."""
    latest_transition: str
    latest_version: str
    outdated: str
    """Message of the condition Outdated while it is True; else empty."""

    @property
    def desired_transition(self) -> Transition:
        """Transition that a rebuild repeats."""
        if self.deleting:
            return Transition.DELETE
        return Transition.START if self.running else Transition.STOP

    @property
    def is_autostopped(self) -> bool:
        """Whether it was stopped although its spec says `running`, by spec.autostopSeconds."""
        return self.desired_transition is Transition.START and self.latest_transition == Transition.STOP


@dataclass(frozen=True, slots=True)
class TemplateState:
    """Import generation of a template, and its versions."""

    meta: ObjectMeta
    import_generation: int
    active_version: str
    import_job: str
    """Name of the job that imports, or imported, the newest version."""


def workspace_state(body: Mapping[str, Any]) -> WorkspaceState:
    """Return the state of a workspace."""
    spec, status = body["spec"], body.get("status") or {}
    reference, latest = spec["templateRef"], status.get("latestBuild") or {}
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
