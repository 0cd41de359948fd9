"""Builders of the core's templates, workspaces and builds with defaults, so that a test names only relevant fields."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, VersionPhase
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER, IN_USE_FINALIZER
from provisioner_operator.core.jobs.outcome import ResourceChange
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import (
    Build,
    BuildRecord,
    Import,
    PlanJob,
    PlanRecord,
    Template,
    TemplateStatus,
    Version,
    Workspace,
)
from support.builders.core import NAMESPACE, NOON

VERSION = "template-1"
DIGEST = "d" * 64


def a_version(name: str = VERSION, *, phase: VersionPhase = VersionPhase.READY, **fields: Any) -> Version:
    """An imported version."""
    return Version(name, phase, f"{name}-import", **({"created": NOON, "files": True} | fields))


def a_template(*versions: Version, active: str | None = VERSION, **fields: Any) -> Template:
    """A template whose version can be built; versions without parameters of their own have the template's."""
    parameters = fields.get("parameters", ())
    imported = tuple(replace(each, parameters=each.parameters or parameters) for each in versions or (a_version(),))
    status = fields.pop("status", TemplateStatus(active, imported))
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": "template",
        "uid": "uid-of-template",
        "resource_version": 1,
        "generation": 1,
        "files": {"main.tf": ""},
        "pending_timeout": 1800,
        "active_deadline": 3600,
        "job_retention": 604_800,
        "version_retention": 604_800,
        "finalizers": (IN_USE_FINALIZER,),
        "status": status,
    }
    return Template(**(defaults | fields))


def a_workspace(**fields: Any) -> Workspace:
    """A workspace that should run and may have resources."""
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": "dev",
        "uid": "uid-of-dev",
        "resource_version": 1,
        "generation": 1,
        "template": "template",
        "approval_timeout": 604_800,
        "finalizers": (DESTROY_FINALIZER,),
    }
    return Workspace(**(defaults | fields))


def a_build(number: int = 1, *, phase: Phase = Phase.COMPLETED, change: str = "change", **fields: Any) -> Build:
    """A build that ran and ended at noon, unless its phase says otherwise."""
    began = phase is not Phase.PENDING and fields.pop("began", True)
    ended = phase in {Phase.COMPLETED, Phase.FAILED, Phase.CANCELED}
    record = BuildRecord(
        number=number,
        job=f"dev-{number}",
        transition=fields.pop("transition", Transition.START),
        change=change,
        phase=phase,
        version=fields.pop("version", VERSION),
        reason=fields.pop("reason", None),
        message=fields.pop("message", None),
        started=NOON if began else None,
        finished=NOON if ended else None,
    )
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "workspace": "dev",
        "workspace_uid": "uid-of-dev",
        "job_uid": f"uid-of-dev-{number}",
        "resource_version": 1,
        "record": record,
    }
    return Build(**(defaults | fields))


def a_plan(number: int = 1, *, phase: Phase = Phase.COMPLETED, change: str = "change", **fields: Any) -> PlanJob:
    """A plan that was made and kept at noon, unless its phase says otherwise."""
    record = PlanRecord(
        number=number,
        job=f"dev-{number}",
        transition=fields.pop("transition", Transition.START),
        change=change,
        phase=phase,
        version=fields.pop("version", VERSION),
        reason=fields.pop("reason", None),
        message=fields.pop("message", None),
        digest=fields.pop("digest", DIGEST if phase is Phase.COMPLETED else None),
        finished=NOON if phase in {Phase.COMPLETED, Phase.FAILED, Phase.CANCELED} else None,
    )
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "workspace": "dev",
        "workspace_uid": "uid-of-dev",
        "job_uid": f"uid-of-dev-{number}",
        "resource_version": 1,
        "record": record,
    }
    return PlanJob(**(defaults | fields))


def an_import(version: str = VERSION, *, phase: Phase = Phase.COMPLETED, **fields: Any) -> Import:
    """A job that imported a version."""
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "template_uid": "uid-of-template",
        "version": version,
        "job": f"{version}-import",
        "job_uid": f"uid-of-{version}-import",
        "resource_version": 1,
        "phase": phase,
    }
    return Import(**(defaults | fields))


def a_drift_check(
    build: int = 1, *, phase: Phase = Phase.COMPLETED, finished: float = 60, changed: Sequence[str] = (), **fields: Any
) -> DriftCheck:
    """A check for drift that ended `finished` seconds after noon, and found these resources changed."""
    ended = phase in {Phase.COMPLETED, Phase.FAILED, Phase.CANCELED}
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "workspace_uid": "uid-of-dev",
        "job": "dev-drift-abc",
        "job_uid": "uid-of-check",
        "resource_version": 1,
        "build": build,
        "phase": phase,
        "resources": tuple(ResourceChange(each, "terraform_data", "replace") for each in changed),
        "finished": NOON + finished if ended else 0,
    }
    return DriftCheck(**(defaults | fields))
