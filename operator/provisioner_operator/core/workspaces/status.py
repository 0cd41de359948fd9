"""Render the statuses of workspaces and templates, and their conditions in the terms of kstatus.

Each status has one author, the leading controller, so it is replaced as a whole; if the object changed meanwhile the
write fails, and the status is derived again.
"""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, StateReason, StatusCondition
from provisioner_operator.core.jobs.outcome import ResourceChange
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.json_patch import JsonPatch, clip, conditions_json, timestamp
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.drift.records import Drift
from provisioner_operator.core.workspaces.parameters import parameter_json
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    PlanRecord,
    Template,
    TemplateStatus,
    Version,
    Workspace,
    WorkspaceStatus,
)


def object_conditions(
    conditions: tuple[Condition, ...], *, ready: bool, reason: str, message: str, under_way: bool, now: float
) -> tuple[Condition, ...]:
    """Return the conditions of an object that is ready, or is being reconciled, or needs an edit."""
    message = clip(message)
    for type_, holds in (
        (StatusCondition.READY, ready),
        (StatusCondition.RECONCILING, not ready and under_way),
        (StatusCondition.STALLED, not ready and not under_way),
    ):
        status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
        conditions = with_condition(conditions, type_, status, reason, message, now)
    return conditions


def with_state_saved(status: WorkspaceStatus, unsaved: str | None, now: float) -> WorkspaceStatus:
    """Return the status with the condition StateSaved; without it if the state was never reported as `unsaved`."""
    was_reported = any(each.type == StatusCondition.STATE_SAVED for each in status.conditions)
    if unsaved is None and not was_reported:
        return status
    holds, reason, message = (
        (ConditionStatus.TRUE, StateReason.SAVED, "No daemon has an unsaved state of the workspace any more.")
        if unsaved is None
        else (ConditionStatus.FALSE, StateReason.UNSAVED, clip(unsaved))
    )
    conditions = with_condition(status.conditions, StatusCondition.STATE_SAVED, holds, reason, message, now)
    return replace(status, conditions=conditions)


def workspace_status_patch(workspace: Workspace, status: WorkspaceStatus) -> JsonPatch:
    """Return the write of a workspace's status."""
    return _replace(workspace, _workspace_json(status))


def template_status_patch(template: Template, status: TemplateStatus) -> JsonPatch:
    """Return the write of a template's status."""
    return _replace(template, _template_json(status))


def _replace(held: Workspace | Template, status: JsonObject) -> JsonPatch:
    return JsonPatch(
        tests=(("/metadata/uid", held.uid), ("/metadata/resourceVersion", str(held.resource_version))),
        sets=(("/status", status),),
    )


def _workspace_json(status: WorkspaceStatus) -> JsonObject:
    return _without_nothing(
        {
            "phase": status.phase,
            "buildNumber": status.build_number,
            "latestBuild": _build_json(status.latest_build),
            "lastRun": _build_json(status.last_run),
            "completedBuild": status.completed_build,
            "plan": _plan_json(status.plan),
            "version": status.version,
            "parameters": [{"name": name, "value": value} for name, value in status.parameters],
            "stopsAt": _time(status.stops_at),
            "outputs": [{"name": each.name, "value": each.value} for each in status.outputs],
            "resources": _resources_json(status.resources),
            "drift": _drift_json(status.drift),
            "observedGeneration": status.observed_generation,
            "conditions": conditions_json(status.conditions),
        }
    )


def _drift_json(drift: Drift | None) -> JsonValue:
    if drift is None:
        return None
    return {
        "checkedAt": timestamp(drift.checked),
        "buildNumber": drift.build,
        "job": drift.job,
        "resources": _resources_json(drift.resources),
    }


def _build_json(build: BuildRecord | None) -> JsonValue:
    if build is None:
        return None
    return _without_nothing(
        {
            "number": build.number,
            "job": build.job,
            "transition": build.transition,
            "version": build.version,
            "change": build.change,
            "phase": build.phase,
            "reason": build.reason,
            "message": build.message,
            "startedAt": _time(build.started),
            "finishedAt": _time(build.finished),
        }
    )


def _plan_json(plan: PlanRecord | None) -> JsonValue:
    if plan is None:
        return None
    return _without_nothing(
        {
            "number": plan.number,
            "job": plan.job,
            "transition": plan.transition,
            "version": plan.version,
            "change": plan.change,
            "phase": plan.phase,
            "reason": plan.reason,
            "message": plan.message,
            "digest": plan.digest,
            "finishedAt": _time(plan.finished),
        }
    )


def _template_json(status: TemplateStatus) -> JsonObject:
    return _without_nothing(
        {
            "activeVersion": status.active_version,
            "versions": [version_json(each) for each in status.versions],
            "variables": status.variables,
            "resources": _resources_json(status.resources),
            "workspaces": status.workspaces,
            "observedGeneration": status.observed_generation,
            "conditions": conditions_json(status.conditions),
        }
    )


def version_json(version: Version) -> JsonObject:
    """Return the version as the template's status has it."""
    return _without_nothing(
        {
            "name": version.name,
            "phase": version.phase,
            "importJob": version.import_job,
            "message": None if version.message is None else clip(version.message),
            "createdAt": _time(version.created),
            "supersededAt": _time(version.superseded),
            "provisioner": version.provisioner,
            "git": version.git,
            "files": version.files,
            "parameters": [parameter_json(each) for each in version.parameters],
            "variables": version.variables or None,
            "state": version.state,
        }
    )


def _resources_json(resources: tuple[ResourceChange, ...]) -> JsonValue:
    return [{"address": each.address, "type": each.type, "action": each.action} for each in resources]


def _without_nothing(fields: JsonObject) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)
