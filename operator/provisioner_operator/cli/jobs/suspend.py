"""`jobs suspend` and `jobs resume`: hold pending jobs back from the queue, and return them to it."""

from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.objects import JobState, job_state
from provisioner_operator.cli.errors import Exit, NothingToDoError, PreconditionError, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths


def set_suspended(session: Session, names: Sequence[str], *, suspended: bool, dry_run: bool) -> Exit:
    """Set `spec.suspend` of these jobs."""

    def set_one(name: str) -> str:
        path = paths.job(session.namespace, name)
        change(session.cluster, path, lambda body: suspend_patch(job_state(body), suspended=suspended), dry_run=dry_run)
        return f"{'suspended' if suspended else 'resumed'}{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, set_one).values())


def suspend_patch(job: JobState, *, suspended: bool) -> JsonPatch:
    """Return the change of `spec.suspend`, valid only while the job is pending.

    Raises PreconditionError if the job has left the queue, NothingToDoError if the value is already right.
    """
    if job.phase in TERMINAL:
        raise PreconditionError(f"It has ended: it is {job.phase}.")
    if job.phase is not Phase.PENDING:
        raise PreconditionError(
            f"It is {job.phase}: only a pending job can be suspended or resumed. `jobs cancel` stops a run."
        )
    if job.suspend is suspended:
        raise NothingToDoError("is suspended already" if suspended else "is not suspended")
    return JsonPatch(
        tests=(("/metadata/uid", job.meta.uid), ("/status/phase", Phase.PENDING)),
        sets=(("/spec/suspend", suspended),),
    )
