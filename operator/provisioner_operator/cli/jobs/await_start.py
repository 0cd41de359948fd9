"""Wait for the start of a job whose log is followed, and report what it waits for meanwhile. Used by `logs`."""

import time

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading

_POLL_SECONDS = 2.0


def await_start(session: Session, model: ProvisionerJob) -> ProvisionerJob:
    """Return the job once it is no longer pending; each new reason for the wait is printed to standard error."""
    reported = ""
    while model.status.phase is Phase.PENDING:
        waits_for = describe_wait(model)
        if waits_for != reported:
            session.terminal.note(waits_for, "dim")
            reported = waits_for
        time.sleep(_POLL_SECONDS)
        _, model = loading.read_job(session.cluster, session.namespace, model.metadata.name)
    return model


def describe_wait(model: ProvisionerJob) -> str:
    """Return what the pending job waits for, in words."""
    name, status = model.metadata.name, model.status
    if status.assignment is not None:
        cause = f"Daemon {status.assignment.daemon} has been chosen and is about to start it."
    elif status.reason:
        cause = f"{status.reason}: {status.message or ''}".rstrip()
    else:
        cause = f"It waits for a daemon; `jobs why {name}` explains this."
    return f"{name} is Pending, and its log begins when it starts. {cause}"
