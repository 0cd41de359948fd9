"""Plans of a workspace from its builds, and what a test reads of the status that is then written."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import BuildDecision, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.desired_state import desired_start, desired_stop
from provisioner_operator.core.workspaces.records import Build, Parameter, Template, Workspace, WorkspaceStatus
from support.builders.core import at
from support.builders.workspaces import VERSION, a_template, a_version, a_workspace

SIZE = Parameter("size", ParameterType.NUMBER, default="1", mutable=True)


def wanted_change(workspace: Workspace, version: str = VERSION) -> str:
    """The digest of what the workspace wants while it is not deleted."""
    return (desired_start if workspace.running else desired_stop)(workspace, version).change


def a_history(*builds: Build) -> BuildHistory:
    facts = BuildFacts({build.record.number: build for build in builds}, searched=True)
    history = BuildHistory.of(a_workspace(), facts)
    assert history is not None
    return history


def planned(
    workspace: Workspace, *builds: Build, template: Template | None = None, now: float = 1, **facts: Any
) -> WorkspacePlan:
    known = BuildFacts(
        {build.record.number: build for build in builds}, **({"searched": True, "checked": True} | facts)
    )
    return plan_workspace(workspace, template or a_template(parameters=(SIZE,)), known, at(now))


def decided(workspace: Workspace, *builds: Build, **options: Any) -> BuildDecision | None:
    return planned(workspace, *builds, **options).decision


def reported(workspace: Workspace, *builds: Build, **options: Any) -> WorkspaceStatus:
    decision = decided(workspace, *builds, **options)
    assert isinstance(decision, UpdateWorkspaceStatus)
    return decision.status


def ready_reason(status: WorkspaceStatus) -> str:
    return next(each.reason for each in status.conditions if each.type == "Ready")


def true_conditions(status: WorkspaceStatus) -> set[str]:
    return {each.type for each in status.conditions if each.status == "True"}


NEWER = a_template(a_version(), a_version("template-2"), active="template-2", parameters=(SIZE,))
