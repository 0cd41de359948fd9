"""`jobs suspend` and `jobs resume`: hold pending jobs back from the queue, and return them to it."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.requests import suspend_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import job_state


def set_suspended(session: Session, names: Sequence[str], *, suspended: bool, dry_run: bool) -> Exit:
    """Set `spec.suspend` of these jobs."""

    def set_one(name: str) -> str:
        path = paths.job(session.namespace, name)
        change(session.cluster, path, lambda body: suspend_patch(job_state(body), suspended=suspended), dry_run=dry_run)
        return f"{'suspended' if suspended else 'resumed'}{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, set_one).values())
