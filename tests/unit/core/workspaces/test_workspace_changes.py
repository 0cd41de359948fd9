"""Builds that follow from a changed workspace, a new version of its template, or its autostop."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, UpdatePolicy
from provisioner_operator.core.workspaces.build_history import SUPERSEDED
from provisioner_operator.core.workspaces.decisions import CreateBuild, Supersede, UpdateWorkspaceStatus
from support.builders.build_plans import NEWER, SIZE, decided, planned, reported, true_conditions, wanted_change
from support.builders.core import at
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace


@pytest.mark.parametrize(
    "change",
    [{"parameters": (("size", "2"),)}, {"running": False}, {"rebuild_generation": 1}, {"pinned_version": "template-2"}],
    ids=str,
)
def test_a_change_is_built_once(change: dict[str, Any]) -> None:
    before = a_workspace()
    build = a_build(change=wanted_change(before))
    after = replace(before, generation=2, **change)
    template = a_template(a_version(), a_version("template-2"), parameters=(SIZE,))

    decision = decided(after, build, template=template)

    assert isinstance(decision, CreateBuild)
    assert decision.number == 2
    made = a_build(2, phase=Phase.PENDING, change=decision.change, transition=decision.transition)
    assert isinstance(decided(after, build, made, template=template), UpdateWorkspaceStatus)


@pytest.mark.parametrize("change", [{"tags": {"zone": "b"}}, {"autostop": 60.0}, {"initiator": "ada"}], ids=str)
def test_what_does_not_change_the_environment_builds_nothing(change: dict[str, Any]) -> None:
    workspace = a_workspace()
    status = reported(workspace, a_build(change=wanted_change(workspace)))

    decision = decided(replace(workspace, status=status, **change))

    assert not isinstance(decision, CreateBuild)


def test_changes_that_come_while_a_job_runs_wait_for_its_end_and_are_one() -> None:
    workspace = a_workspace(parameters=(("size", "3"),), rebuild_generation=2)

    assert isinstance(decided(workspace, a_build(phase=Phase.RUNNING)), UpdateWorkspaceStatus)
    decision = decided(workspace, a_build(phase=Phase.COMPLETED))
    assert isinstance(decision, CreateBuild)
    assert decision.change == wanted_change(workspace)


def test_a_build_that_has_not_begun_is_superseded_and_its_number_stays_taken() -> None:
    workspace = a_workspace(parameters=(("size", "3"),))

    decision = decided(workspace, a_build(phase=Phase.PENDING))

    assert isinstance(decision, Supersede)
    operations = decision.patch().operations()
    assert {"op": "test", "path": "/status/phase", "value": "Pending"} in operations
    assert {"op": "add", "path": "/spec/cancel", "value": True} in operations
    superseded = a_build(phase=Phase.CANCELED, began=False, reason=SUPERSEDED)
    following = decided(workspace, superseded)
    assert isinstance(following, CreateBuild)
    assert following.job == "dev-2"


def test_one_that_is_being_superseded_is_waited_for() -> None:
    workspace = a_workspace(parameters=(("size", "3"),))

    assert not isinstance(decided(workspace, a_build(phase=Phase.PENDING, cancel=True)), Supersede)


def test_who_changes_back_before_the_build_began_has_what_was_there() -> None:
    workspace = a_workspace()
    built = a_build(change=wanted_change(workspace))
    superseded = a_build(2, phase=Phase.CANCELED, began=False, reason=SUPERSEDED, change="another")

    status = reported(workspace, built, superseded)

    assert (status.phase, status.build_number, true_conditions(status)) == ("Running", 2, {"Ready"})


def test_what_an_admin_canceled_is_not_made_again() -> None:
    workspace = a_workspace()

    status = reported(workspace, a_build(phase=Phase.CANCELED, began=False, change=wanted_change(workspace)))

    assert status.phase == "Canceled"


@pytest.mark.parametrize(
    ("policy", "version"),
    [(UpdatePolicy.MANUAL, None), (UpdatePolicy.ON_START, None), (UpdatePolicy.ALWAYS, "template-2")],
)
def test_a_running_workspace_moves_to_a_new_version_only_if_it_always_does(
    policy: UpdatePolicy, version: str | None
) -> None:
    workspace = a_workspace(update_policy=policy)

    decision = decided(workspace, a_build(change=wanted_change(workspace)), template=NEWER)

    made = decision.version.name if isinstance(decision, CreateBuild) else None
    assert made == version


@pytest.mark.parametrize(
    ("policy", "version"),
    [(UpdatePolicy.MANUAL, VERSION), (UpdatePolicy.ON_START, "template-2"), (UpdatePolicy.ALWAYS, "template-2")],
)
def test_the_next_start_takes_the_new_version_unless_that_is_done_by_hand(policy: UpdatePolicy, version: str) -> None:
    stopped = a_build(transition=Transition.STOP)

    decision = decided(a_workspace(update_policy=policy), stopped, template=NEWER)

    assert isinstance(decision, CreateBuild)
    assert decision.version.name == version


def test_it_is_stopped_when_its_time_is_up_and_stays_so() -> None:
    workspace = a_workspace(autostop=60.0)
    started = a_build(change=wanted_change(workspace))

    status = reported(workspace, started, now=10)
    assert status.stops_at == at(60).wall
    assert planned(replace(workspace, status=status), started, now=10).requeue_after == pytest.approx(50)

    stop = decided(workspace, started, now=60)
    assert isinstance(stop, CreateBuild)
    assert stop.transition is Transition.STOP
    stopped = a_build(2, change=stop.change, transition=Transition.STOP)
    assert reported(workspace, started, stopped, now=70).phase == "Stopped"

    again = decided(replace(workspace, rebuild_generation=1), started, stopped, now=80)
    assert isinstance(again, CreateBuild)
    assert again.transition is Transition.START
