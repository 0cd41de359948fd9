"""The version that is built, by policy, pin, last build and active version."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, UpdatePolicy
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.records import Build, WorkspaceStatus
from provisioner_operator.core.workspaces.update_policy import (
    version_of_next_start,
    version_of_rebuild,
    version_to_build,
    version_to_destroy,
    version_to_stop,
)
from support.builders.build_plans import a_history
from support.builders.workspaces import a_build, a_workspace

MANUAL, ON_START, ALWAYS = UpdatePolicy.MANUAL, UpdatePolicy.ON_START, UpdatePolicy.ALWAYS


@pytest.mark.parametrize(
    ("policy", "pinned", "built", "active", "version"),
    [
        (MANUAL, None, "old", "new", "old"),
        (ON_START, None, "old", "new", "old"),
        (ALWAYS, None, "old", "new", "new"),
        (MANUAL, None, None, "new", "new"),
        (ON_START, None, None, "new", "new"),
        (ALWAYS, None, "old", None, "old"),  # the template has no active version any more
        (MANUAL, None, None, None, None),
        (MANUAL, "pin", "old", "new", "pin"),
        (ALWAYS, "pin", "old", "new", "pin"),
    ],
)
def test_the_version_to_build(
    policy: UpdatePolicy, pinned: str | None, built: str | None, active: str | None, version: str | None
) -> None:
    assert version_to_build(a_workspace(update_policy=policy, pinned_version=pinned), built, active) == version


@pytest.mark.parametrize(
    ("policy", "pinned", "active", "version"),
    [
        (MANUAL, None, "new", "old"),
        (ON_START, None, "new", "new"),
        (ON_START, None, None, "old"),
        (ON_START, "old", "new", "old"),
        (ALWAYS, None, "new", "old"),  # that one follows the active version in any case
    ],
)
def test_the_next_start_moves_only_under_on_start(
    policy: UpdatePolicy, pinned: str | None, active: str | None, version: str
) -> None:
    workspace = a_workspace(update_policy=policy, pinned_version=pinned)

    assert version_of_next_start(workspace, "old", active, a_history(a_build())) == version


@pytest.mark.parametrize("policy", [MANUAL, ON_START])
@pytest.mark.parametrize(
    ("pinned", "active", "version"), [(None, "new", "new"), ("old", "new", "old"), (None, None, "old")]
)
def test_until_a_build_has_completed_each_start_takes_the_active_version(
    policy: UpdatePolicy, pinned: str | None, active: str | None, version: str
) -> None:
    workspace = a_workspace(update_policy=policy, pinned_version=pinned)
    failed = a_history(a_build(1, phase=Phase.FAILED), a_build(2, phase=Phase.CANCELED, began=False))

    assert version_of_next_start(workspace, "old", active, failed) == version


OLD, DELETED = a_build(version="old"), Transition.DELETE


@pytest.mark.parametrize(
    ("pinned", "builds", "version"),
    [
        (None, [], None),
        (None, [OLD], "old"),
        ("pin", [OLD], "old"),  # what exists was built with the old one
        (None, [OLD, a_build(2, version="old", transition=DELETED, phase=Phase.FAILED)], "old"),
        ("pin", [OLD, a_build(2, version="old", transition=DELETED, phase=Phase.FAILED)], "pin"),
        (None, [a_build(version="old", phase=Phase.FAILED)], "new"),
        ("pin", [a_build(version="old", phase=Phase.FAILED)], "pin"),
    ],
)
def test_a_destroy_uses_the_version_that_built_unless_that_one_failed(
    pinned: str | None, builds: list[Build], version: str | None
) -> None:
    workspace = a_workspace(pinned_version=pinned, deleting=True)

    assert version_to_destroy(workspace, a_history(*builds), "new") == version
    assert version_of_rebuild(workspace, a_history(*builds), "new") == version


@pytest.mark.parametrize(
    ("running", "builds", "version"),
    [
        (True, [OLD], "old"),
        (True, [a_build(version="old", phase=Phase.FAILED)], "new"),
        (False, [a_build(version="old", phase=Phase.FAILED)], "old"),  # a stop keeps what exists
        (True, [], "new"),
    ],
)
def test_the_version_of_a_rebuild(running: bool, builds: list[Build], version: str) -> None:  # noqa: FBT001 - a column
    assert version_of_rebuild(a_workspace(running=running), a_history(*builds), "new") == version


def test_a_build_that_completed_is_remembered_after_later_ones_failed() -> None:
    failed = a_build(7, phase=Phase.FAILED).record
    status = WorkspaceStatus(build_number=7, completed_build=5, latest_build=failed, last_run=failed)

    history = BuildHistory.of(a_workspace(status=status), BuildFacts(searched=True))

    assert history is not None
    assert history.completed == 5


@pytest.mark.parametrize(
    ("pinned", "transition", "phase", "version"),
    [
        (None, Transition.START, Phase.COMPLETED, "old"),
        ("pin", Transition.START, Phase.COMPLETED, "old"),  # the pin is for the next start
        ("pin", Transition.START, Phase.FAILED, "old"),
        ("pin", Transition.STOP, Phase.COMPLETED, "old"),
        ("pin", Transition.STOP, Phase.FAILED, "pin"),  # the version that was built could not stop
        ("pin", Transition.STOP, Phase.CANCELED, "pin"),
        (None, Transition.STOP, Phase.FAILED, "old"),
    ],
)
def test_a_stop_has_the_version_that_was_built(
    pinned: str | None, transition: Transition, phase: Phase, version: str
) -> None:
    last_run = a_build(version="old", transition=transition, phase=phase).record

    assert version_to_stop(a_workspace(pinned_version=pinned), last_run) == version


def test_what_was_never_built_has_no_version_to_stop() -> None:
    assert version_to_stop(a_workspace(pinned_version="pin"), None) is None
