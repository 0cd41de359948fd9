"""The end of a deleted workspace, by policy and by what was built."""

import pytest

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, Phase, Transition
from provisioner_operator.core.workspaces.deletion_policy import destroyed, may_be_released
from provisioner_operator.core.workspaces.records import Build
from support.builders.build_plans import a_history
from support.builders.workspaces import VERSION, a_build, a_workspace

NEWEST = "template-9"
"""Active version of the template."""
DELETE, ORPHAN = DeletionPolicy.DELETE, DeletionPolicy.ORPHAN
DESTROYED = a_build(2, transition=Transition.DELETE)


@pytest.mark.parametrize(
    ("policy", "builds", "released"),
    [
        (DELETE, [], True),  # nothing was built
        (DELETE, [a_build()], False),
        (DELETE, [a_build(phase=Phase.FAILED)], False),  # something may have been built
        (DELETE, [a_build(phase=Phase.CANCELED, began=False)], True),
        (DELETE, [a_build(), DESTROYED], True),
        (DELETE, [a_build(), a_build(2, transition=Transition.DELETE, phase=Phase.FAILED)], False),
        (DELETE, [a_build(), a_build(2, transition=Transition.STOP)], False),
        (DELETE, [a_build(phase=Phase.RUNNING)], False),
        (ORPHAN, [a_build()], True),
        (ORPHAN, [a_build(phase=Phase.FAILED)], True),
        (ORPHAN, [a_build(phase=Phase.RUNNING)], True),
        (ORPHAN, [a_build(phase=Phase.CANCELING)], True),
        (ORPHAN, [a_build(phase=Phase.PENDING)], False),  # first it is superseded
    ],
)
def test_a_deleted_workspace_goes_when_nothing_is_left_or_all_is_to_be_left(
    policy: DeletionPolicy,
    builds: list[Build],
    released: bool,  # noqa: FBT001 - a column
) -> None:
    assert may_be_released(a_workspace(deletion_policy=policy, deleting=True), a_history(*builds)) is released


def test_a_destroy_has_the_version_of_the_last_run_and_is_asked_for_again_by_the_rebuild_generation() -> None:
    built = a_history(a_build(1, version="older"), a_build(2, version=VERSION))
    first = destroyed(a_workspace(), built, NEWEST)

    assert (first.transition, first.version) == (Transition.DELETE, VERSION)
    assert destroyed(a_workspace(parameters=(("size", "2"),)), built, NEWEST) == first
    assert destroyed(a_workspace(rebuild_generation=1), built, NEWEST).change != first.change
    assert destroyed(a_workspace(), a_history(), NEWEST).version is None
