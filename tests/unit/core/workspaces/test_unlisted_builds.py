"""Workspaces of whose builds something is not known: jobs that cannot be listed, and a last run without its job."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import ParameterType, Phase, Transition, WorkspaceReason
from provisioner_operator.core.workspaces.build_history import BuildFacts
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import CreateBuild, FindBuilds, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.records import Parameter, Workspace, WorkspaceStatus
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from support.builders.core import at
from support.builders.workspaces import a_build, a_template, a_workspace

UNFINISHED = a_build(phase=Phase.RUNNING).record
UNKNOWN = a_workspace(status=WorkspaceStatus(build_number=1, latest_build=UNFINISHED, last_run=UNFINISHED))
"""Its status has a build that has not ended, and its job is not known."""


def _plan(workspace: Workspace, refused: RefusedStep | None = None) -> WorkspacePlan:
    return plan_workspace(workspace, a_template(), BuildFacts(refused=refused), at(1))


def test_a_list_that_is_refused_for_a_moment_changes_nothing() -> None:
    assert _plan(UNKNOWN) == WorkspacePlan(FindBuilds(UNKNOWN))
    assert _plan(UNKNOWN, RefusedStep("FindBuilds", "etcd is away", transient=True)) == WorkspacePlan()


def test_a_list_that_is_refused_for_good_is_reported_once() -> None:
    refused = RefusedStep("FindBuilds", "forbidden")

    report = _plan(UNKNOWN, refused).decision

    assert isinstance(report, UpdateWorkspaceStatus)
    ready = next(each for each in report.status.conditions if each.type == "Ready")
    assert (ready.status, ready.reason) == ("False", WorkspaceReason.WRITE_REFUSED)
    assert "forbidden" in ready.message
    assert (report.status.latest_build, report.status.last_run) == (UNFINISHED, UNFINISHED)
    assert _plan(replace(UNKNOWN, status=report.status), refused) == WorkspacePlan()


def test_a_parameter_that_cannot_change_keeps_its_value_after_the_job_of_the_last_run_is_deleted() -> None:
    region = Parameter("region", ParameterType.STRING, default="eu", mutable=False)
    ended = a_build(change="former").record
    status = WorkspaceStatus(build_number=1, latest_build=ended, last_run=ended, parameters=(("region", "us"),))
    stopping = a_workspace(running=False, status=status)

    create = plan_workspace(
        stopping, a_template(parameters=(region,)), BuildFacts(searched=True, checked=True), at(1)
    ).decision

    assert isinstance(create, CreateBuild)
    assert (create.number, create.transition) == (2, Transition.STOP)
    assert create.parameters == (("region", "us"),)
