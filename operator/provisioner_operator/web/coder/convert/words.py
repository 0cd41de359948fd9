"""Coder's words for phases, transitions and states, and the other way round. Pure tables."""

from collections.abc import Mapping

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.web.coder.models.jobs import JobStatus, TransitionWord
from provisioner_operator.web.coder.models.workspaces import WorkspaceStatus

STATUS_OF: Mapping[Phase, JobStatus] = {
    Phase.PENDING: "pending",
    Phase.RUNNING: "running",
    Phase.CANCELING: "canceling",
    Phase.COMPLETED: "succeeded",
    Phase.FAILED: "failed",
    Phase.CANCELED: "canceled",
}
PHASE_OF: Mapping[str, Phase] = {word: phase for phase, word in STATUS_OF.items()}
UNKNOWN = "unknown"
"""A status that clients may ask for and no job ever has."""

TRANSITION_WORD: Mapping[Transition, TransitionWord] = {
    Transition.START: "start",
    Transition.STOP: "stop",
    Transition.DELETE: "delete",
}
TRANSITION_OF: Mapping[str, Transition] = {word: transition for transition, word in TRANSITION_WORD.items()}

_RUNNING: Mapping[Transition, WorkspaceStatus] = {
    Transition.START: "starting",
    Transition.STOP: "stopping",
    Transition.DELETE: "deleting",
}
_COMPLETED: Mapping[Transition, WorkspaceStatus] = {
    Transition.START: "running",
    Transition.STOP: "stopped",
    Transition.DELETE: "deleted",
}


def workspace_status(phase: Phase, transition: Transition) -> WorkspaceStatus:
    """Return a workspace's status, which follows from its latest job (Coder's `ConvertWorkspaceStatus`)."""
    match phase:
        case Phase.PENDING:
            return "pending"
        case Phase.RUNNING:
            return _RUNNING[transition]
        case Phase.COMPLETED:
            return _COMPLETED[transition]
        case Phase.CANCELING:
            return "canceling"
        case Phase.CANCELED:
            return "canceled"
        case Phase.FAILED:
            return "failed"
