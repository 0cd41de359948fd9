"""Report whether a workspace was built with its template's active version: the condition Outdated. Used by `build_plan`."""

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, OutdatedReason, StatusCondition
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.build_history import BuildHistory
from provisioner_operator.core.workspaces.records import BuildRecord, Template, Workspace
from provisioner_operator.core.workspaces.update_policy import moves_with_next_start


def with_outdated(
    conditions: tuple[Condition, ...],
    workspace: Workspace,
    template: Template | None,
    effective: BuildRecord | None,
    history: BuildHistory,
    now: float,
) -> tuple[Condition, ...]:
    """Return the conditions with Outdated; unchanged if the workspace was never built, or nothing can be compared."""
    active = template.status.active_version if template is not None else None
    version = None if effective is None else effective.version
    if version is None or active is None:
        return conditions
    if version == active:
        status, reason = ConditionStatus.FALSE, OutdatedReason.ACTIVE_VERSION
        message = f"It is built with {active}, the active version of template {workspace.template}."
    elif moves_with_next_start(workspace, history):
        status, reason = ConditionStatus.TRUE, OutdatedReason.NEWER_VERSION
        message = (
            f"It is built with version {version}; its next start builds {active}, the active version of template "
            f"{workspace.template}."
        )
    else:
        status, reason = ConditionStatus.TRUE, OutdatedReason.NEWER_VERSION
        message = f"It is built with version {version}; {describe_move(workspace, active)}"
    return with_condition(conditions, StatusCondition.OUTDATED, status, reason, message, now)


def describe_move(workspace: Workspace, active: str) -> str:
    """Return the active version, and the way to move the workspace to it, as the end of a sentence."""
    return (
        f"the active version of template {workspace.template} is {active}. Choose it in spec.templateRef.version, or run "
        f"`kubectl provisioner workspaces update {workspace.name}`."
    )
