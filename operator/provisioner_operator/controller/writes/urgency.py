"""Order the writes of one namespace: what a user waits for first. Pure; used by `writer`.

A cancel stops something that somebody does not want; an assignment starts what somebody waits for; an explanation says why something
does not start. Each kind is bounded (by users, slots, and places for explanations), so the others are not put off for long.
"""

from enum import IntEnum

from provisioner_operator.core.jobs.decisions import Assign, Cancel, Explain
from provisioner_operator.core.workspaces.decisions import Supersede


class Urgency(IntEnum):
    """Rank of a write; the lowest goes first."""

    CANCEL = 0
    ASSIGN = 1
    EXPLAIN = 2
    OTHER = 3


def urgency_of(work: object) -> Urgency:
    """Return the rank of a decision, or of any other work of the writers."""
    match work:
        case Cancel() | Supersede():
            return Urgency.CANCEL
        case Assign():
            return Urgency.ASSIGN
        case Explain():
            return Urgency.EXPLAIN
        case _:
            return Urgency.OTHER
