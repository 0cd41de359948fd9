"""The job that shows a build has the version and the values of the build that the controller would create."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, UpdatePolicy
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.core.views.workspace_preview import PreviewRequest, preview_job
from provisioner_operator.core.workspaces.records import (
    Build,
    Parameter,
    Template,
    Workspace,
    WorkspaceStatus,
)
from support.builders.workspaces import VERSION, a_build, a_plan, a_template, a_version, a_workspace

SIZE = Parameter("size", default="1", mutable=True)
TEMPLATE = a_template(a_version(), a_version("template-2"), parameters=(SIZE,), active="template-2")
BUILT = a_build(4).record
STATUS = WorkspaceStatus(
    build_number=4, latest_build=BUILT, last_run=BUILT, completed_build=4, version=VERSION, parameters=(("size", "3"),)
)
NO_BUILDS: Mapping[int, Build] = {}


def previewed(
    workspace: Workspace | None = None,
    template: Template = TEMPLATE,
    builds: Mapping[int, Build] = NO_BUILDS,
    **request: Any,
) -> Any:
    job: Any = preview_job(
        "dev-plan-abcd", workspace or a_workspace(status=STATUS), template, builds, PreviewRequest(**request)
    )
    spec = job["spec"]
    values = {each["name"]: each["value"] for each in spec["variables"]}
    return spec["transition"], spec["templateRef"]["version"], values, spec["workspaceRef"]["buildNumber"]


def test_without_a_request_it_is_the_build_that_a_rebuild_would_make() -> None:
    assert previewed() == (Transition.START, VERSION, {"size": "1"}, 5)
    follows = a_workspace(status=STATUS, update_policy=UpdatePolicy.ALWAYS, parameters=(("size", "2"),))
    assert previewed(follows) == (Transition.START, "template-2", {"size": "2"}, 5)
    assert previewed(a_workspace(status=STATUS, running=False)) == (Transition.STOP, VERSION, {"size": "3"}, 5)
    assert previewed(a_workspace(status=STATUS, deleting=True)) == (Transition.DELETE, VERSION, {"size": "3"}, 5)


def test_values_and_a_version_are_those_of_a_start() -> None:
    chosen: dict[str, Any] = {"version": "template-2", "parameters": {"size": "9"}}
    for workspace in (a_workspace(status=STATUS), a_workspace(status=STATUS, running=False)):
        assert previewed(workspace, **chosen) == (Transition.START, "template-2", {"size": "9"}, 5)
    for transition in (Transition.STOP, Transition.DELETE):
        with pytest.raises(NotPossibleError, match="uses the version and the values that were built"):
            previewed(transition=transition, **chosen)


def test_a_workspace_that_was_never_built_can_only_be_started() -> None:
    assert previewed(a_workspace()) == (Transition.START, "template-2", {"size": "1"}, 1)
    with pytest.raises(NotPossibleError, match="nothing to delete"):
        previewed(a_workspace(), transition=Transition.DELETE)


def test_a_build_that_could_not_be_made_is_not_shown_either() -> None:
    with pytest.raises(NotPossibleError, match="has no version template-9"):
        previewed(version="template-9")
    with pytest.raises(NotPossibleError, match="no parameter shape"):
        previewed(parameters={"shape": "round"})


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CANCELING])
def test_no_plan_is_made_while_a_build_changes_the_workspace(phase: Phase) -> None:
    build = a_build(5, phase=phase)
    workspace = a_workspace(status=replace(STATUS, latest_build=build.record, build_number=5))
    with pytest.raises(NotPossibleError, match="being built") as raised:
        previewed(workspace, builds={5: build})
    assert (raised.value.cause, raised.value.name) == (Cause.BEING_BUILT, "dev-5")
    # Its job has ended since, and was deleted.
    with pytest.raises(NotPossibleError, match="Try again"):
        previewed(workspace)


def test_the_plan_of_a_build_that_waits_is_that_of_the_next_one() -> None:
    build = a_build(5, phase=Phase.PENDING)
    workspace = a_workspace(status=replace(STATUS, latest_build=build.record))
    assert previewed(workspace, builds={5: build}) == (Transition.START, VERSION, {"size": "1"}, 6)


def test_a_plan_that_is_being_made_for_approval_is_in_nobodys_way() -> None:
    waiting = replace(STATUS, plan=a_plan(5, phase=Phase.RUNNING).record, build_number=5)

    assert previewed(a_workspace(status=waiting))[3] == 6
