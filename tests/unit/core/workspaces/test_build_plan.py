"""Single steps of a workspace towards its first build, and its status; the simulation covers what can go wrong between steps."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, Phase, Transition, VersionPhase
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.build_history import BuildFacts
from provisioner_operator.core.workspaces.build_plan import plan_workspace
from provisioner_operator.core.workspaces.decisions import CreateBuild, FindBuilds, HoldWorkspace, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.records import Parameter, Template
from support.builders.build_plans import SIZE, decided, planned, ready_reason, reported, true_conditions, wanted_change
from support.builders.core import at
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace


def test_before_anything_is_built_the_workspace_is_held() -> None:
    assert isinstance(decided(a_workspace(finalizers=())), HoldWorkspace)


def test_a_new_workspace_is_started_by_its_first_build() -> None:
    workspace = a_workspace(parameters=(("size", "2"),), owner="sam", initiator="ada", tags={"zone": "b"})
    template = a_template(parameters=(SIZE,), tags={"zone": "a", "disk": "fast"}, allow_user_cancel=True, priority=3)

    decision = decided(workspace, template=template)

    assert isinstance(decision, CreateBuild)
    body: Any = decision.body()
    assert body["metadata"]["name"] == "dev-1"
    assert body["spec"]["transition"] == "Start"
    assert body["spec"]["tags"] == {"zone": "b", "disk": "fast"}
    assert body["spec"]["variables"] == [{"name": "size", "value": "2"}]
    assert body["spec"]["source"] == {"configMapRef": {"name": VERSION}}
    assert body["spec"]["workspaceRef"] == {
        "name": "dev",
        "uid": "uid-of-dev",
        "buildNumber": 1,
        "change": wanted_change(workspace),
        "owner": "sam",
    }
    assert (body["spec"]["initiator"], body["spec"]["ownerMayCancel"], body["spec"]["priority"]) == ("ada", True, 3)


def test_one_that_is_not_to_run_is_not_built() -> None:
    status = reported(a_workspace(running=False))

    assert (status.phase, status.build_number) == ("Stopped", 0)
    assert true_conditions(status) == {"Ready"}


def test_a_number_that_is_taken_is_passed_over() -> None:
    decision = decided(a_workspace(), floor=7)

    assert isinstance(decision, CreateBuild)
    assert decision.job == "dev-8"


@pytest.mark.parametrize(
    ("template", "reason", "waits"),
    [
        (a_template(status=replace(a_template().status, active_version=None)), "TemplateNotReady", True),
        (a_template(deleting=True), "TemplateNotFound", False),
        (a_template(parameters=(Parameter("size"),)), "InvalidParameters", False),
    ],
)
def test_what_cannot_be_built_is_reported_and_no_job_is_created(template: Template, reason: str, waits: bool) -> None:  # noqa: FBT001 - a column
    status = reported(a_workspace(), template=template)

    assert ready_reason(status) == reason
    assert true_conditions(status) == ({"Reconciling"} if waits else {"Stalled"})


@pytest.mark.parametrize(("pin", "reason"), [("template-9", "VersionNotFound"), ("template-2", "VersionNotReady")])
def test_a_pinned_version_has_to_be_there_and_imported(pin: str, reason: str) -> None:
    template = a_template(a_version(), a_version("template-2", phase=VersionPhase.FAILED, message="No such module."))

    assert ready_reason(reported(a_workspace(pinned_version=pin), template=template)) == reason


def test_a_template_that_does_not_exist_is_named() -> None:
    plan = plan_workspace(a_workspace(), None, BuildFacts(searched=True), at(0))

    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    assert ready_reason(plan.decision.status) == "TemplateNotFound"


@pytest.mark.parametrize(
    ("running", "job", "phase", "holds"),
    [
        (True, Phase.PENDING, "Pending", {"Reconciling"}),
        (True, Phase.RUNNING, "Starting", {"Reconciling"}),
        (True, Phase.CANCELING, "Canceling", {"Reconciling"}),
        (True, Phase.COMPLETED, "Running", {"Ready"}),
        (True, Phase.FAILED, "Failed", {"Stalled"}),
        (True, Phase.CANCELED, "Canceled", {"Stalled"}),
        (False, Phase.RUNNING, "Stopping", {"Reconciling"}),
        (False, Phase.COMPLETED, "Stopped", {"Ready"}),
    ],
)
def test_the_phase_is_that_of_the_latest_build(running: bool, job: Phase, phase: str, holds: set[str]) -> None:  # noqa: FBT001 - a column
    workspace = a_workspace(running=running)
    transition = Transition.START if running else Transition.STOP

    status = reported(workspace, a_build(1, phase=job, change=wanted_change(workspace), transition=transition))

    assert (status.phase, status.build_number, true_conditions(status)) == (phase, 1, holds)


def test_a_failure_is_reported_with_its_job_and_what_to_do_and_is_not_retried() -> None:
    workspace = a_workspace()

    status = reported(workspace, a_build(phase=Phase.FAILED, change=wanted_change(workspace), message="No quota."))

    ready = next(each for each in status.conditions if each.type == "Ready")
    assert ready.message.startswith("Build 1 (job dev-1) failed: No quota. Change the workspace, or raise")
    assert decided(replace(workspace, status=status)) is None


def test_a_status_that_is_current_is_not_written_again() -> None:
    workspace = a_workspace(parameters=(("size", "2"),))
    build = a_build(change=wanted_change(workspace), parameters=(("size", "2"), ("token", "x")))

    status = reported(workspace, build)

    assert status.parameters == (("size", "2"),)
    # From the status alone as well as with the job still at hand.
    assert decided(replace(workspace, status=status)) is None
    assert decided(replace(workspace, status=status), build) is None


def test_a_job_whose_end_was_missed_is_looked_for() -> None:
    workspace = a_workspace()
    running = a_build(phase=Phase.RUNNING, change=wanted_change(workspace))
    known = replace(workspace, status=reported(workspace, running))

    assert isinstance(decided(known, searched=False), FindBuilds)
    status = reported(known)
    assert (status.phase, ready_reason(status)) == ("Canceled", "BuildCanceled")
    assert status.last_run is not None
    assert status.last_run.started == running.record.started


@pytest.mark.parametrize(
    ("phase", "delay"),
    [
        (Phase.PENDING, 2.0),
        (Phase.RUNNING, 1.0),
        (Phase.CANCELING, 0.0),
        (Phase.COMPLETED, 0.0),
        (Phase.FAILED, 0.0),
    ],
)
def test_a_build_that_is_about_to_change_is_reported_after_a_while_and_its_end_at_once(
    phase: Phase, delay: float
) -> None:
    plan = planned(a_workspace(), a_build(phase=phase, change=wanted_change(a_workspace())))
    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    assert plan.delay == delay


def test_a_build_that_cannot_be_made_is_reported_at_once() -> None:
    plan = planned(a_workspace(pinned_version="template-9"))
    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    assert (plan.decision.status.phase, plan.delay) == ("Pending", 0)


def test_a_pinned_version_that_does_not_exist_is_reported_with_those_that_do() -> None:
    template = a_template(a_version(), a_version("template-2"))

    status = reported(a_workspace(pinned_version="template-9"), template=template)

    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert message == (
        "Template template has no version template-9; its versions are: template-1, template-2. "
        "Set spec.templateRef.version to one of them."
    )


def test_a_template_without_a_version_is_reported_in_its_own_words() -> None:
    conditions = tuple(
        Condition(type=kind, status=ConditionStatus.FALSE, reason="Importing", message=f"{kind} it is.", since=0)
        for kind in ("Reconciling", "Ready", "Stalled")
    )
    template = a_template(status=replace(a_template().status, active_version=None, conditions=conditions))

    status = reported(a_workspace(), template=template)

    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert message == "Template template has no version to build yet. Ready it is."
