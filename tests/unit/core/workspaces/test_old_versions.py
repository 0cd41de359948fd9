"""Workspaces of an older version, whatever became of the template's parameters since: they can always be stopped and destroyed."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType, Phase, Provisioner, Transition, UpdatePolicy
from provisioner_operator.core.workspaces.decisions import CreateBuild, Supersede
from provisioner_operator.core.workspaces.records import Build, Parameter, ParameterValues, Template, Workspace
from support.builders.build_plans import decided, planned, ready_reason, reported, wanted_change
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace

NEW = "template-2"
Parameters = tuple[Parameter, ...]
REGION = Parameter("region", options=("eu", "us"), default="us")
SIZE = Parameter("size", ParameterType.NUMBER, default="1", mutable=True, maximum=8)
OLD: Parameters = (REGION, SIZE)
BUILT: ParameterValues = (("region", "eu"), ("size", "4"))


def _changed(name: str, parameters: Parameters, **fields: Any) -> Parameters:
    return tuple(replace(each, **fields) if each.name == name else each for each in parameters)


CHANGES: Mapping[str, Parameters] = {
    "nothing": OLD,
    "region is removed": (SIZE,),
    "region is renamed": (replace(REGION, name="location"), SIZE),
    "one is added without a default": (*OLD, Parameter("zone")),
    "one is added with a default": (*OLD, Parameter("zone", default="a")),
    "size becomes immutable": _changed("size", OLD, mutable=False),
    "the options of region are narrowed": _changed("region", OLD, options=("us",)),
    "the maximum of size is narrowed": _changed("size", OLD, maximum=2),
    "region must match": _changed("region", OLD, options=(), regex="^us"),
    "the type of size changes": _changed("size", OLD, type=ParameterType.BOOL, default="true", maximum=None),
    "another default": _changed("region", OLD, default="eu"),
    "all are removed": (),
}
FITS = {"nothing", "one is added with a default", "size becomes immutable", "another default"}
"""Changes after which a workspace with these values can be started with the new version."""
POLICIES = (UpdatePolicy.MANUAL, UpdatePolicy.ON_START, UpdatePolicy.ALWAYS)


def _template(change: str) -> Template:
    versions = a_version(parameters=OLD), a_version(NEW, parameters=CHANGES[change])
    return a_template(*versions, active=NEW, parameters=CHANGES[change])


def _workspace(policy: UpdatePolicy, **fields: Any) -> Workspace:
    return a_workspace(update_policy=policy, parameters=BUILT, **fields)


def _started() -> Build:
    return a_build(change=wanted_change(a_workspace(parameters=BUILT)), parameters=BUILT)


def _recorded(workspace: Workspace, *builds: Build) -> Workspace:
    """The workspace once its status has recorded these builds and their jobs are gone."""
    return replace(workspace, status=reported(workspace, *builds, template=a_template(parameters=OLD)))


@pytest.mark.parametrize(("change", "policy"), list(product(CHANGES, POLICIES)))
@pytest.mark.parametrize("ending", [{"running": False}, {"deleting": True}], ids=str)
def test_what_was_built_is_stopped_and_destroyed_as_it_was_built(
    change: str, policy: UpdatePolicy, ending: dict[str, Any]
) -> None:
    workspace = _workspace(policy, **ending)
    before = replace(_recorded(_workspace(UpdatePolicy.MANUAL), _started()), update_policy=policy, **ending)

    # With the job at hand, and from the status alone.
    for decision in (
        decided(workspace, _started(), template=_template(change)),
        decided(before, template=_template(change)),
    ):
        assert isinstance(decision, CreateBuild)
        assert decision.transition is (Transition.DELETE if workspace.deleting else Transition.STOP)
        assert (decision.version.name, decision.parameters) == (VERSION, BUILT)


@pytest.mark.parametrize(("change", "policy"), list(product(CHANGES, POLICIES)))
@pytest.mark.parametrize("chosen", [(), (("region", "mars"),), (("size", "9"), ("speed", "1"))], ids=str)
def test_no_choice_is_in_the_way_of_a_stop_or_a_destroy(
    change: str, policy: UpdatePolicy, chosen: ParameterValues
) -> None:
    workspace = replace(_workspace(policy), parameters=chosen)

    for ending in (replace(workspace, running=False), replace(workspace, deleting=True)):
        decision = decided(ending, _started(), template=_template(change))
        assert isinstance(decision, CreateBuild)
        assert decision.parameters == BUILT


@pytest.mark.parametrize("change", CHANGES)
def test_what_never_completed_is_destroyed_by_the_active_version_if_that_has_the_same_values(change: str) -> None:
    workspace = _workspace(UpdatePolicy.MANUAL, deleting=True)
    failed = replace(_started(), record=replace(_started().record, phase=Phase.FAILED))
    loses_a_value = change in {"region is removed", "region is renamed", "all are removed"}
    lacks_a_value = change == "one is added without a default"

    decision = decided(workspace, failed, template=_template(change))

    assert isinstance(decision, CreateBuild)
    assert decision.version.name == (VERSION if loses_a_value or lacks_a_value else NEW)
    assert dict(decision.parameters).items() >= dict(BUILT).items()
    again = a_build(2, phase=Phase.FAILED, change=decision.change, transition=Transition.DELETE, parameters=BUILT)
    again = replace(again, record=replace(again.record, version=decision.version.name))
    status = reported(workspace, failed, again, template=_template(change))
    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert f"to destroy it again with version {decision.version.name}" in message
    if lacks_a_value:
        complete = decided(replace(workspace, parameters=(*BUILT, ("zone", "a"))), failed, template=_template(change))
        assert isinstance(complete, CreateBuild)
        assert complete.version.name == NEW


def test_what_never_completed_is_destroyed_by_the_program_that_began_it() -> None:
    failed = replace(_started(), record=replace(_started().record, phase=Phase.FAILED))
    versions = a_version(parameters=OLD), a_version(NEW, parameters=OLD, provisioner=Provisioner.ECHO)
    decision = decided(
        _workspace(UpdatePolicy.MANUAL, deleting=True),
        failed,
        template=a_template(*versions, active=NEW, parameters=OLD),
    )
    assert isinstance(decision, CreateBuild)
    assert decision.version.name == VERSION


@pytest.mark.parametrize("change", CHANGES)
def test_a_rebuild_keeps_the_parameters_of_its_version(change: str) -> None:
    workspace = _workspace(UpdatePolicy.MANUAL, rebuild_generation=1)

    decision = decided(workspace, _started(), template=_template(change))

    assert isinstance(decision, CreateBuild)
    assert (decision.version.name, decision.parameters) == (VERSION, BUILT)
    another = decided(replace(workspace, parameters=(("size", "5"),)), _started(), template=_template(change))
    assert isinstance(another, CreateBuild)
    assert another.parameters == (("region", "eu"), ("size", "5"))


@pytest.mark.parametrize(("change", "policy"), list(product(CHANGES, POLICIES[1:])))
def test_a_move_is_checked_against_the_version_that_it_builds(change: str, policy: UpdatePolicy) -> None:
    workspace = _workspace(policy, rebuild_generation=1)

    if change in FITS:
        decision = decided(workspace, _started(), template=_template(change))
        assert isinstance(decision, CreateBuild)
        assert decision.version.name == NEW
        return
    status = reported(workspace, _started(), template=_template(change))
    assert ready_reason(status) == "InvalidParameters"
    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert message.startswith(f"The parameters do not fit version {NEW}. ")
    assert f"To stay with version {VERSION}, set spec.templateRef.version to it." in message
    # Which that does.
    stayed = decided(replace(workspace, pinned_version=VERSION), _started(), template=_template(change))
    assert isinstance(stayed, CreateBuild)
    assert (stayed.version.name, stayed.parameters) == (VERSION, BUILT)


@pytest.mark.parametrize(("change", "policy"), list(product(CHANGES, POLICIES)))
def test_a_workspace_whose_time_is_up_is_stopped_although_it_cannot_move(change: str, policy: UpdatePolicy) -> None:
    workspace = _workspace(policy, autostop=60.0)
    moves = policy is UpdatePolicy.ALWAYS and change in FITS
    running = decided(workspace, _started(), template=_template(change), now=10)
    assert isinstance(running, CreateBuild) is moves
    if moves:
        return
    assert planned(workspace, _started(), template=_template(change), now=10).requeue_after == pytest.approx(50)

    stop = decided(workspace, _started(), template=_template(change), now=60)

    assert isinstance(stop, CreateBuild)
    assert (stop.transition, stop.version.name, stop.parameters) == (Transition.STOP, VERSION, BUILT)
    for phase in (Phase.PENDING, Phase.RUNNING, Phase.COMPLETED, Phase.CANCELED):
        made = a_build(2, phase=phase, change=stop.change, transition=Transition.STOP, parameters=BUILT)
        after = decided(workspace, _started(), made, template=_template(change), now=70)
        assert not isinstance(after, CreateBuild | Supersede)


def test_a_stopped_workspace_is_not_built_for_parameters_that_only_its_next_start_applies() -> None:
    workspace = _workspace(UpdatePolicy.ALWAYS, running=False)
    stopped = a_build(2, change=wanted_change(workspace), transition=Transition.STOP, parameters=BUILT)
    changed = replace(workspace, parameters=(("size", "8"),))

    status = reported(changed, _started(), stopped, template=_template("all are removed"))

    assert (status.phase, ready_reason(status), status.parameters) == ("Stopped", "UpToDate", BUILT)


@pytest.mark.parametrize("change", CHANGES)
def test_the_status_keeps_the_parameters_of_the_version_that_was_built(change: str) -> None:
    assert reported(_workspace(UpdatePolicy.MANUAL), _started(), template=_template(change)).parameters == BUILT


@pytest.mark.parametrize("ending", [{"running": False}, {"deleting": True}], ids=str)
def test_a_pin_replaces_a_version_that_is_gone(ending: dict[str, Any]) -> None:
    template = a_template(a_version(NEW, parameters=(*OLD, Parameter("zone", default="a"))), active=NEW)
    before = replace(_recorded(_workspace(UpdatePolicy.MANUAL), _started()), **ending)

    assert ready_reason(reported(before, template=template)) == "VersionNotFound"
    decision = decided(replace(before, pinned_version=NEW), template=template)

    assert isinstance(decision, CreateBuild)
    assert (decision.version.name, decision.parameters) == (NEW, (*BUILT, ("zone", "a")))
