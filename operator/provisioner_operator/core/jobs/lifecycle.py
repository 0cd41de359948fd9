"""Define the phases of a job and the legal transitions between them.

Two rules. A final phase is final: nothing revives a job. A run starts only by its daemon's acknowledgment, so a job
that never left Pending never ran. Canceling is only for runs that take their time to stop. The CEL rules of the CRD enforce the same table in the API server and are tested
against it, as is the diagram in docs/architecture.md.
"""

from types import MappingProxyType

from provisioner_operator.api.v1alpha1.enums import Phase

TRANSITIONS = MappingProxyType(
    {
        Phase.PENDING: frozenset({Phase.RUNNING, Phase.CANCELED, Phase.FAILED}),
        Phase.RUNNING: frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELING, Phase.CANCELED}),
        Phase.CANCELING: frozenset({Phase.CANCELED, Phase.FAILED, Phase.COMPLETED}),
        Phase.COMPLETED: frozenset[Phase](),
        Phase.FAILED: frozenset[Phase](),
        Phase.CANCELED: frozenset[Phase](),
    }
)
"""Phases that may follow each phase."""

TERMINAL = frozenset(phase for phase, following in TRANSITIONS.items() if not following)
STARTED = frozenset({Phase.RUNNING, Phase.CANCELING})
"""Phases in which a daemon works on the job."""


class IllegalTransitionError(ValueError):
    """Transition that the table does not have."""


def require_legal(current: Phase, following: Phase) -> None:
    """Raise IllegalTransitionError unless `following` may come after `current`."""
    if following not in TRANSITIONS[current]:
        legal = ", ".join(sorted(TRANSITIONS[current])) or "nothing: the phase is final"
        raise IllegalTransitionError(f"a job that is {current} cannot become {following}; legal: {legal}")
