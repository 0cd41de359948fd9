"""Order the groups: first the one that uses the fewest slots for its weight, then the one that used the least lately. Pure.

The rule stands here alone; the queue and everything that shows places takes it from here.
"""

from provisioner_operator.core.jobs.ordering import CreationKey
from provisioner_operator.core.scheduling.queueing.policy import Fairness

ShareKey = tuple[int, int]
"""Slots that a group uses and its past use, each for one unit of its weight: the smallest goes first."""
NO_SHARE: ShareKey = (0, 0)
"""Share of all groups without fairness."""
HeadKey = tuple[int, bool, int, int, float, str]
"""Sort key of a job under a policy: priority, background, the share of its group, then age. The smallest goes first."""

_BITS = 32
"""Binary places that are kept of a quotient by a weight."""


def share_key(fairness: Fairness, group: str, slots: int, past_use: int) -> ShareKey:
    """Return the sort key of a group that uses so many slots now."""
    weight = fairness.weight_of(group)
    return (slots << _BITS) // weight, (past_use << _BITS) // weight


def head_key(priority: int, share: ShareKey, age: CreationKey, *, background: bool) -> HeadKey:
    """Return the sort key of a job of a group with this share."""
    return (-priority, background, *share, *age)
