"""A plan in words, and the part of it that a status has room for."""

import pytest

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.api.v1alpha1.limits import MOST_RESOURCES
from provisioner_operator.core.jobs.outcome import ResourceChange
from provisioner_operator.core.jobs.planned_changes import PlannedChanges


def planned(*changes: str) -> PlannedChanges:
    """Return a plan of changes, each an action and an address."""
    plan = PlannedChanges()
    for each in changes:
        action, address = each.split()
        plan.note(ResourceChange(address, "disk", action))
    return plan


def test_the_most_destructive_changes_come_first() -> None:
    plan = planned("create e[10]", "move f", "update b", "delete c", "replace d", "create e[9]")
    assert [each.address for each in plan.resources] == ["c", "d", "b", "e[9]", "e[10]", "f"]
    assert plan.summary(Transition.START) == (
        "A start would change 6 resources (1 to destroy, 1 to replace, 1 to change, 2 to create, 1 to move): "
        "destroy c, replace d, change b, create e[9], create e[10], move f. Nothing was changed."
    )


def test_one_change_is_one_resource() -> None:
    summary = planned("create a").summary(Transition.START)
    assert summary == "A start would change 1 resource (1 to create): create a. Nothing was changed."


@pytest.mark.parametrize("changes", [(), ("read a", "no-op b")])
def test_what_stays_as_it_is_is_no_change(changes: tuple[str, ...]) -> None:
    plan = planned(*changes)
    assert plan.resources == ()
    assert plan.summary(Transition.STOP) == "A stop would change no resource. Nothing was changed."


def test_a_destroyed_resource_is_listed_however_many_are_created_before_it() -> None:
    plan = planned(*(f"create a[{number}]" for number in range(MOST_RESOURCES + 5)), "delete last")
    assert len(plan.resources) == MOST_RESOURCES
    assert plan.resources[0].address == "last"
    summary = plan.summary(Transition.DELETE)
    assert summary.startswith("A delete would change 262 resources (1 to destroy, 261 to create): destroy last, ")
    assert summary.endswith(", create a[8], and 252 more. Nothing was changed.")
