"""Hold back a workspace's step that the API server refused until its pause is over, and report why it is not made.

Pure; called by `build_plan`.
"""

from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.enums import WorkspaceReason
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.kubectl import merge_patch
from provisioner_operator.core.workspaces.build_history import BuildFacts
from provisioner_operator.core.workspaces.decisions import BuildDecision, CreateBuild, CreatePlan, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.records import Workspace
from provisioner_operator.core.workspaces.status import object_conditions


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Reason why the desired state cannot be built."""

    reason: WorkspaceReason
    message: str
    passes: bool = False
    """Whether it may pass without an edit."""
    is_complete: bool = False
    """Whether its message already says how to delete the workspace in spite of it."""


def attempt(step: BuildDecision | Obstacle | None, facts: BuildFacts) -> tuple[BuildDecision | None, Obstacle | None]:
    """Return the step to take, or what is in its way; neither while it only waits for what passes by itself."""
    if isinstance(step, Obstacle):
        return None, step
    refused = facts.refused
    if refused is None or not is_blocked(step, facts):
        return step, None
    creates = isinstance(step, CreateBuild | CreatePlan)
    if isinstance(step, CreateBuild | CreatePlan) and refused.namespace_is_terminating:
        return None, _namespace_terminating(step)
    reason = WorkspaceReason.BUILD_REFUSED if creates else WorkspaceReason.WRITE_REFUSED
    return None, None if refused.transient else Obstacle(reason, refused.message)


def _namespace_terminating(build: CreateBuild | CreatePlan) -> Obstacle:
    """Describe the end of the namespace: no wait and no retry helps, and the state is deleted with it."""
    namespace, name = build.workspace.namespace, build.workspace.name
    return Obstacle(
        WorkspaceReason.NAMESPACE_TERMINATING,
        f"Namespace {namespace} is being deleted: no job can be created in it, so what workspace {name} built can no longer "
        "be destroyed by the operator, and its Terraform state goes with the namespace. Destroy that by hand, then let the "
        f"workspace go: {merge_patch(namespace, 'ws', name, {'spec': {'deletionPolicy': 'Orphan'}})}. "
        "Next time, delete the workspaces before their namespace.",
        is_complete=True,
    )


def is_blocked(step: BuildDecision | None, facts: BuildFacts) -> bool:
    """Return whether the API server refused this step, and it is too early to try it again."""
    return facts.refused is not None and facts.refused.blocks(step)


def report_refused_search(workspace: Workspace, facts: BuildFacts, now: Instant) -> UpdateWorkspaceStatus | None:
    """Report only the refusal: nothing else is known of a workspace whose jobs cannot be listed."""
    if facts.refused is None or facts.refused.transient:
        return None
    conditions = object_conditions(
        workspace.status.conditions,
        ready=False,
        reason=WorkspaceReason.WRITE_REFUSED,
        message=facts.refused.message,
        under_way=False,
        now=now.wall,
    )
    status = replace(workspace.status, observed_generation=workspace.generation, conditions=conditions)
    return None if status == workspace.status else UpdateWorkspaceStatus(workspace, status)
