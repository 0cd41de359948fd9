"""Condition of an object that the controller has not observed yet, as in the Gateway API.

It is part of the default of each status that the controller writes: without it, engines that read kstatus (Flux, Helm)
would take a fresh object for a ready one.
"""

from provisioner_operator.api.v1alpha1.base import Condition
from provisioner_operator.api.v1alpha1.enums import ConditionStatus

UNSEEN_REASON = "Pending"
"""Reason of the condition Ready until then."""


def not_observed(kind: str) -> list[Condition]:
    """Return the conditions of an object of this kind, in words, that the controller has not observed yet."""
    return [
        Condition.model_validate(
            {
                "type": "Ready",
                "status": ConditionStatus.UNKNOWN,
                "reason": UNSEEN_REASON,
                "message": f"The controller has not observed this {kind} yet. Check that the operator runs and serves this namespace.",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
        )
    ]
