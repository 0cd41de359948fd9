"""The version that is built, by policy, pin, last build and active version."""

import pytest

from provisioner_operator.api.v1alpha1.enums import UpdatePolicy
from provisioner_operator.core.workspaces.update_policy import version_of_next_start, version_to_build
from support.builders.workspaces import a_workspace

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

    assert version_of_next_start(workspace, "old", active) == version
