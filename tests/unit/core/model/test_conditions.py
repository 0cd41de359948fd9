from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.core.model.conditions import with_condition

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


def test_a_new_condition_comes_last() -> None:
    first = with_condition((), "Ready", FALSE, "Running", "It runs.", 1.0)
    both = with_condition(first, "Stalled", TRUE, "Failed", "It failed.", 2.0)
    assert [condition.type for condition in both] == ["Ready", "Stalled"]


def test_the_time_moves_only_with_the_status() -> None:
    first = with_condition((), "Ready", FALSE, "Running", "It runs.", 1.0)
    (told_more,) = with_condition(first, "Ready", FALSE, "Canceling", "It stops.", 2.0)
    assert (told_more.since, told_more.reason, told_more.message) == (1.0, "Canceling", "It stops.")
    (turned,) = with_condition(first, "Ready", TRUE, "Completed", "Done.", 3.0)
    assert turned.since == 3.0


def test_the_others_stay_as_they_are_and_where_they_are() -> None:
    two = with_condition(with_condition((), "A", TRUE, "R", "", 1.0), "B", TRUE, "R", "", 1.0)
    changed = with_condition(two, "A", FALSE, "R", "", 2.0)
    assert [condition.type for condition in changed] == ["A", "B"]
    assert changed[1] is two[1]
