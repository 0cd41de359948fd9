"""Order the writes of one namespace: what a user waits for first. Pure; used by `writer`.

A cancel stops something that somebody does not want; an assignment starts what somebody waits for; a read shows what assignments wait
for, as after a start; an explanation says why something does not start. Each kind is bounded (by users, slots, daemons, and places for
explanations), so the others are not put off for long.
"""

from enum import IntEnum

from provisioner_operator.core.daemons.decisions import CheckDaemon
from provisioner_operator.core.jobs.decisions import Assign, Cancel, CheckJob, Explain
from provisioner_operator.core.workspaces.decisions import Supersede


class Urgency(IntEnum):
    """Rank of a write; the lowest goes first."""

    CANCEL = 0
    ASSIGN = 1
    READ = 2
    EXPLAIN = 3
    OTHER = 4


def urgency_of(work: object) -> Urgency:
    """Return the rank of a decision, or of any other work of the writers."""
    match work:
        case Cancel() | Supersede():
            return Urgency.CANCEL
        case Assign():
            return Urgency.ASSIGN
        case CheckDaemon() | CheckJob():
            return Urgency.READ
        case Explain():
            return Urgency.EXPLAIN
        case _:
            return Urgency.OTHER
