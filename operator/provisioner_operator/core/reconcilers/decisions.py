"""The decisions that the controller carries out, whatever kind they concern."""

from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    DaemonDecision,
    MarkOffline,
    PodDecision,
    RegisterDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.jobs.decisions import JobDecision

Decision = JobDecision | DaemonDecision | PodDecision


def subject(decision: Decision) -> str:
    """The uid of the object that the decision is about."""
    match decision:
        case CheckDaemon(daemon) | MarkOffline(daemon):
            return daemon.uid
        case RegisterDaemon(pod) | ReshapeDaemon(pod) | RemoveDaemon(pod):
            return pod.uid
        case _:
            return decision.job.uid
