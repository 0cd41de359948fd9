"""Single steps of a workspace; the simulation covers what can go wrong between them."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import (
    DeletionPolicy,
    ParameterType,
    Phase,
    Transition,
    UpdatePolicy,
    VersionPhase,
)
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER, IN_USE_FINALIZER
from provisioner_operator.core.workspaces.build_history import SUPERSEDED, BuildFacts
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan, plan_workspace
from provisioner_operator.core.workspaces.decisions import (
    BuildDecision,
    CreateBuild,
    FindBuilds,
    HoldTemplate,
    HoldWorkspace,
    ReleaseTemplate,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.desired_state import change_of
from provisioner_operator.core.workspaces.records import Build, Parameter, Template, Workspace, WorkspaceStatus
from support.builders.core import at
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace

SIZE = Parameter("size", ParameterType.NUMBER, default="1", mutable=True)


def _wanted(workspace: Workspace, version: str = VERSION) -> str:
    """The digest of what the workspace wants while it is not deleted."""
    transition = Transition.START if workspace.running else Transition.STOP
    return change_of(transition, version, workspace.parameters, workspace.rebuild_generation)


def _plan(
    workspace: Workspace, *builds: Build, template: Template | None = None, now: float = 1, **facts: Any
) -> WorkspacePlan:
    known = BuildFacts({build.record.number: build for build in builds}, **({"searched": True} | facts))
    return plan_workspace(workspace, template or a_template(parameters=(SIZE,)), known, at(now))


def _decide(workspace: Workspace, *builds: Build, **options: Any) -> BuildDecision | None:
    return _plan(workspace, *builds, **options).decision


def _status(workspace: Workspace, *builds: Build, **options: Any) -> WorkspaceStatus:
    decision = _decide(workspace, *builds, **options)
    assert isinstance(decision, UpdateWorkspaceStatus)
    return decision.status


def _reason(status: WorkspaceStatus) -> str:
    return next(each.reason for each in status.conditions if each.type == "Ready")


def _holds(status: WorkspaceStatus) -> set[str]:
    return {each.type for each in status.conditions if each.status == "True"}


# --- the first build ---


def test_before_anything_is_built_the_workspace_is_held() -> None:
    assert isinstance(_decide(a_workspace(finalizers=())), HoldWorkspace)


def test_a_new_workspace_is_started_by_its_first_build() -> None:
    workspace = a_workspace(parameters=(("size", "2"),), owner="sam", initiator="ada", tags={"zone": "b"})
    template = a_template(parameters=(SIZE,), tags={"zone": "a", "disk": "fast"}, allow_user_cancel=True, priority=3)

    decision = _decide(workspace, template=template)

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
        "change": _wanted(workspace),
        "owner": "sam",
    }
    assert (body["spec"]["initiator"], body["spec"]["ownerMayCancel"], body["spec"]["priority"]) == ("ada", True, 3)


def test_one_that_is_not_to_run_is_not_built() -> None:
    status = _status(a_workspace(running=False))

    assert (status.phase, status.build_number) == ("Stopped", 0)
    assert _holds(status) == {"Ready"}


def test_a_number_that_is_taken_is_passed_over() -> None:
    decision = _decide(a_workspace(), floor=7)

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
    status = _status(a_workspace(), template=template)

    assert _reason(status) == reason
    assert _holds(status) == ({"Reconciling"} if waits else {"Stalled"})


@pytest.mark.parametrize(("pin", "reason"), [("template-9", "VersionNotFound"), ("template-2", "VersionNotReady")])
def test_a_pinned_version_has_to_be_there_and_imported(pin: str, reason: str) -> None:
    template = a_template(a_version(), a_version("template-2", phase=VersionPhase.FAILED, message="No such module."))

    assert _reason(_status(a_workspace(pinned_version=pin), template=template)) == reason


def test_a_template_that_does_not_exist_is_named() -> None:
    plan = plan_workspace(a_workspace(), None, BuildFacts(searched=True), at(0))

    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    assert _reason(plan.decision.status) == "TemplateNotFound"


def test_a_refusal_of_the_api_server_is_reported() -> None:
    status = _status(a_workspace(), refusal="the namespace is being terminated")

    assert _reason(status) == "BuildRefused"


# --- how it is ---


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

    status = _status(workspace, a_build(1, phase=job, change=_wanted(workspace), transition=transition))

    assert (status.phase, status.build_number, _holds(status)) == (phase, 1, holds)


def test_a_failure_is_reported_with_its_job_and_what_to_do_and_is_not_retried() -> None:
    workspace = a_workspace()

    status = _status(workspace, a_build(phase=Phase.FAILED, change=_wanted(workspace), message="No quota."))

    ready = next(each for each in status.conditions if each.type == "Ready")
    assert ready.message.startswith("Build 1 (job dev-1) failed: No quota. Change the workspace, or raise")
    assert _decide(replace(workspace, status=status)) is None


def test_a_status_that_is_current_is_not_written_again() -> None:
    workspace = a_workspace(parameters=(("size", "2"),))
    build = a_build(change=_wanted(workspace), parameters=(("size", "2"), ("token", "x")))

    status = _status(workspace, build)

    assert status.parameters == (("size", "2"),)
    # From the status alone as well as with the job still at hand.
    assert _decide(replace(workspace, status=status)) is None
    assert _decide(replace(workspace, status=status), build) is None


# --- changes ---


@pytest.mark.parametrize(
    "change",
    [{"parameters": (("size", "2"),)}, {"running": False}, {"rebuild_generation": 1}, {"pinned_version": "template-2"}],
    ids=str,
)
def test_a_change_is_built_once(change: dict[str, Any]) -> None:
    before = a_workspace()
    build = a_build(change=_wanted(before))
    after = replace(before, generation=2, **change)
    template = a_template(a_version(), a_version("template-2"), parameters=(SIZE,))

    decision = _decide(after, build, template=template)

    assert isinstance(decision, CreateBuild)
    assert decision.number == 2
    made = a_build(2, phase=Phase.PENDING, change=decision.change, transition=decision.transition)
    assert isinstance(_decide(after, build, made, template=template), UpdateWorkspaceStatus)


@pytest.mark.parametrize("change", [{"tags": {"zone": "b"}}, {"autostop": 60.0}, {"initiator": "ada"}], ids=str)
def test_what_does_not_change_the_environment_builds_nothing(change: dict[str, Any]) -> None:
    workspace = a_workspace()
    status = _status(workspace, a_build(change=_wanted(workspace)))

    decision = _decide(replace(workspace, status=status, **change))

    assert not isinstance(decision, CreateBuild)


def test_changes_that_come_while_a_job_runs_wait_for_its_end_and_are_one() -> None:
    workspace = a_workspace(parameters=(("size", "3"),), rebuild_generation=2)

    assert isinstance(_decide(workspace, a_build(phase=Phase.RUNNING)), UpdateWorkspaceStatus)
    decision = _decide(workspace, a_build(phase=Phase.COMPLETED))
    assert isinstance(decision, CreateBuild)
    assert decision.change == _wanted(workspace)


def test_a_build_that_has_not_begun_is_superseded_and_its_number_stays_taken() -> None:
    workspace = a_workspace(parameters=(("size", "3"),))

    decision = _decide(workspace, a_build(phase=Phase.PENDING))

    assert isinstance(decision, Supersede)
    assert {"op": "test", "path": "/status/phase", "value": "Pending"} in decision.patch().operations()
    superseded = a_build(phase=Phase.CANCELED, began=False, reason=SUPERSEDED)
    following = _decide(workspace, superseded)
    assert isinstance(following, CreateBuild)
    assert following.job == "dev-2"


def test_one_that_is_being_superseded_is_waited_for() -> None:
    workspace = a_workspace(parameters=(("size", "3"),))

    assert not isinstance(_decide(workspace, a_build(phase=Phase.PENDING, cancel=True)), Supersede)


def test_who_changes_back_before_the_build_began_has_what_was_there() -> None:
    workspace = a_workspace()
    built = a_build(change=_wanted(workspace))
    superseded = a_build(2, phase=Phase.CANCELED, began=False, reason=SUPERSEDED, change="another")

    status = _status(workspace, built, superseded)

    assert (status.phase, status.build_number, _holds(status)) == ("Running", 2, {"Ready"})


def test_what_an_admin_canceled_is_not_made_again() -> None:
    workspace = a_workspace()

    status = _status(workspace, a_build(phase=Phase.CANCELED, began=False, change=_wanted(workspace)))

    assert status.phase == "Canceled"


# --- versions ---

NEWER = a_template(a_version(), a_version("template-2"), active="template-2", parameters=(SIZE,))


@pytest.mark.parametrize(
    ("policy", "version"),
    [(UpdatePolicy.MANUAL, None), (UpdatePolicy.ON_START, None), (UpdatePolicy.ALWAYS, "template-2")],
)
def test_a_running_workspace_moves_to_a_new_version_only_if_it_always_does(
    policy: UpdatePolicy, version: str | None
) -> None:
    workspace = a_workspace(update_policy=policy)

    decision = _decide(workspace, a_build(change=_wanted(workspace)), template=NEWER)

    made = decision.version.name if isinstance(decision, CreateBuild) else None
    assert made == version


@pytest.mark.parametrize(
    ("policy", "version"),
    [(UpdatePolicy.MANUAL, VERSION), (UpdatePolicy.ON_START, "template-2"), (UpdatePolicy.ALWAYS, "template-2")],
)
def test_the_next_start_takes_the_new_version_unless_that_is_done_by_hand(policy: UpdatePolicy, version: str) -> None:
    stopped = a_build(transition=Transition.STOP)

    decision = _decide(a_workspace(update_policy=policy), stopped, template=NEWER)

    assert isinstance(decision, CreateBuild)
    assert decision.version.name == version


# --- stopping by itself ---


def test_it_is_stopped_when_its_time_is_up_and_stays_so() -> None:
    workspace = a_workspace(autostop=60.0)
    started = a_build(change=_wanted(workspace))

    status = _status(workspace, started, now=10)
    assert status.stops_at == at(60).wall
    assert _plan(replace(workspace, status=status), started, now=10).look_again_in == pytest.approx(50)

    stop = _decide(workspace, started, now=60)
    assert isinstance(stop, CreateBuild)
    assert stop.transition is Transition.STOP
    stopped = a_build(2, change=stop.change, transition=Transition.STOP)
    assert _status(workspace, started, stopped, now=70).phase == "Stopped"

    again = _decide(replace(workspace, rebuild_generation=1), started, stopped, now=80)
    assert isinstance(again, CreateBuild)
    assert again.transition is Transition.START


# --- the end ---


def test_a_deleted_workspace_is_destroyed_and_then_let_go() -> None:
    workspace = a_workspace(deleting=True, status=WorkspaceStatus(parameters=(("size", "4"),)))
    built = a_build(change="built", parameters=(("size", "4"),))

    decision = _decide(workspace, built, template=NEWER)

    assert isinstance(decision, CreateBuild)
    # As it was built, with the version that it has.
    assert (decision.transition, decision.version.name) == (Transition.DELETE, VERSION)
    assert decision.parameters == (("size", "4"),)
    assert "initiator" not in str(decision.body())
    destroyed = a_build(2, change=decision.change, transition=Transition.DELETE)
    assert isinstance(_decide(workspace, built, destroyed), ReleaseWorkspace)


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELED])
def test_a_destroy_that_fails_leaves_the_workspace_until_it_is_asked_for_again(phase: Phase) -> None:
    workspace = a_workspace(deleting=True)
    first = _decide(workspace, a_build())
    assert isinstance(first, CreateBuild)
    ended = a_build(2, phase=phase, change=first.change, transition=Transition.DELETE)

    assert _status(workspace, a_build(), ended).phase.value == phase.value
    again = _decide(replace(workspace, rebuild_generation=1), a_build(), ended)
    assert isinstance(again, CreateBuild)
    assert again.number == 3


def test_what_runs_is_never_superseded_by_a_deletion() -> None:
    assert isinstance(_decide(a_workspace(deleting=True), a_build(phase=Phase.RUNNING)), UpdateWorkspaceStatus)


def test_what_has_not_begun_is_superseded_by_a_deletion_and_needs_no_destroy() -> None:
    workspace = a_workspace(deleting=True)

    assert isinstance(_decide(workspace, a_build(phase=Phase.PENDING)), Supersede)
    never = a_build(phase=Phase.CANCELED, began=False, reason=SUPERSEDED)
    assert isinstance(_decide(workspace, never), ReleaseWorkspace)


def test_a_destroy_that_waits_is_not_superseded() -> None:
    workspace = a_workspace(deleting=True, rebuild_generation=1)
    waiting = a_build(2, phase=Phase.PENDING, transition=Transition.DELETE, change="older")

    assert isinstance(_decide(workspace, a_build(), waiting), UpdateWorkspaceStatus)


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.RUNNING])
def test_an_orphan_is_let_go_as_it_is(phase: Phase) -> None:
    workspace = a_workspace(deleting=True, deletion_policy=DeletionPolicy.ORPHAN)

    assert isinstance(_decide(workspace, a_build(phase=phase)), ReleaseWorkspace)


def test_one_that_was_never_built_is_let_go_once_all_jobs_have_been_looked_through() -> None:
    workspace = a_workspace(deleting=True)

    assert isinstance(_decide(workspace, searched=False), FindBuilds)
    assert isinstance(_decide(workspace), ReleaseWorkspace)


def test_without_its_template_nothing_is_destroyed_and_it_says_so() -> None:
    plan = plan_workspace(a_workspace(deleting=True), None, BuildFacts({1: a_build()}, searched=True), at(0))

    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    message = next(each.message for each in plan.decision.status.conditions if each.type == "Ready")
    assert "Orphan" in message


# --- what was missed ---


def test_a_job_whose_end_was_missed_is_looked_for() -> None:
    workspace = a_workspace()
    running = a_build(phase=Phase.RUNNING, change=_wanted(workspace))
    known = replace(workspace, status=_status(workspace, running))

    assert isinstance(_decide(known, searched=False), FindBuilds)
    status = _status(known)
    assert (status.phase, _reason(status)) == ("Canceled", "BuildCanceled")
    assert status.last_run is not None
    assert status.last_run.started == running.record.started


def test_a_waiting_build_is_reported_after_a_while_and_an_end_at_once() -> None:
    workspace = a_workspace()

    assert _plan(workspace, a_build(phase=Phase.PENDING, change=_wanted(workspace))).delay > 0
    assert _plan(workspace, a_build(phase=Phase.RUNNING, change=_wanted(workspace))).delay > 0
    assert _plan(workspace, a_build(change=_wanted(workspace))).delay == 0


def test_a_deleted_workspace_that_only_others_hold_is_left_alone() -> None:
    workspace = a_workspace(deleting=True, finalizers=("another",))

    for builds in ([], [a_build()], [a_build(phase=Phase.RUNNING)]):
        assert _plan(workspace, *builds) == WorkspacePlan()
        assert _plan(workspace, *builds, searched=False) == WorkspacePlan()


def test_a_pinned_version_that_does_not_exist_is_reported_with_those_that_do() -> None:
    template = a_template(a_version(), a_version("template-2"))

    status = _status(a_workspace(pinned_version="template-9"), template=template)

    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert message == (
        "Template template has no version template-9; its versions are: template-1, template-2. "
        "Set spec.templateRef.version to one of them."
    )


def test_the_finalizers_of_workspaces_and_templates_come_and_go_beside_the_others() -> None:
    workspace, template = a_workspace(finalizers=("other",)), a_template(finalizers=("other",))
    held, kept = (*workspace.finalizers, DESTROY_FINALIZER), (*template.finalizers, IN_USE_FINALIZER)

    assert HoldWorkspace(workspace).patch().sets == (("/metadata/finalizers", list(held)),)
    assert HoldTemplate(template).patch().sets == (("/metadata/finalizers", list(kept)),)
    assert ReleaseWorkspace(replace(workspace, finalizers=held)).patch().sets == (("/metadata/finalizers", ["other"]),)
    assert ReleaseTemplate(replace(template, finalizers=kept)).patch().sets == (("/metadata/finalizers", ["other"]),)
