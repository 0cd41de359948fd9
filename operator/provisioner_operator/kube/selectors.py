"""Field and label selectors of the lists and watches that controller, daemon and command line have in common."""

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import DAEMON_POD_LABEL
from provisioner_operator.core.jobs.lifecycle import TERMINAL

UNFINISHED_JOBS = ",".join(f"status.phase!={phase}" for phase in sorted(TERMINAL))
"""Field selector of jobs that have not ended. Selectors know no "or", so the other phases are excluded one by one."""
ENDED_JOBS = ",".join(f"status.phase!={phase}" for phase in sorted(frozenset(Phase) - TERMINAL))
"""Field selector of jobs that have ended."""

DAEMON_PODS = f"{DAEMON_POD_LABEL}=true"
"""Label selector of Pods that are daemons."""


def unfinished_jobs_of(daemon: str) -> str:
    """The field selector of jobs that are assigned to a daemon and have not ended."""
    return f"status.assignment.daemon={daemon},{UNFINISHED_JOBS}"
