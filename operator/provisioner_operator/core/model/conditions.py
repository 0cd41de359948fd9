"""Update a list of conditions (metav1.Condition): one per type, whose `since` changes only with its status."""

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.core.model.records import Condition


def with_condition(
    conditions: tuple[Condition, ...], type_: str, status: ConditionStatus, reason: str, message: str, now: float
) -> tuple[Condition, ...]:
    """Return the conditions with this one set and the others unchanged."""
    old = next((condition for condition in conditions if condition.type == type_), None)
    since = old.since if old is not None and old.status is status else now
    new = Condition(type_, status, reason, message, since)
    if old is None:
        return (*conditions, new)
    return tuple(new if condition is old else condition for condition in conditions)
