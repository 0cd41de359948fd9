"""`workspaces unlock`: release the lock of a state that a dead holder has left."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, NotFoundError, NothingToDoError, PreconditionError, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.states.lock import (
    HoldingRun,
    LockHolder,
    is_reported,
    lock_lease,
    release_patch,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body, job_state
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon
from provisioner_operator.kube.state_locks import parse_state_lock

_ROLE = "provisioner-admin"
_NOT_LOCKED = "its state is not locked"


def unlock_workspaces(session: Session, names: Sequence[str], *, dry_run: bool) -> Exit:
    """Release the locks of these workspaces' states."""

    def unlock_one(name: str) -> str:
        former = LockHolder()

        def decide(body: Body) -> JsonPatch:
            nonlocal former
            lock = parse_state_lock(body)
            if lock.holder is None:
                raise NothingToDoError(_NOT_LOCKED)
            former = lock.holder
            if former.run is not None:
                try:
                    _require_ended(session, former.run)
                except UnparseableObjectError as error:
                    message = f"Daemon {former.run.daemon}, which held the lock, cannot be read: {error}."
                    raise PreconditionError(message) from error
            return release_patch(lock)

        try:
            change(
                session.cluster, paths.lease(session.namespace, lock_lease(name)), decide, dry_run=dry_run, role=_ROLE
            )
        except NotFoundError:
            raise NothingToDoError(_NOT_LOCKED) from None
        done = "would be unlocked (dry run)" if dry_run else "unlocked"
        return f"{done}; {former.who} held the lock since {former.created} ({former.operation})"

    return combined(for_each(session.terminal, names, unlock_one).values())


def _require_ended(session: Session, run: HoldingRun) -> None:
    """Raise PreconditionError if the run's job, or its daemon, still shows that it lives."""
    job = _found(session, paths.job(session.namespace, run.job))
    if job is not None and (state := job_state(job)).meta.uid == run.uid and state.phase not in TERMINAL:
        raise PreconditionError(
            f"Its state is locked by job {run.job}, which is {state.phase} on daemon {run.daemon}. Wait for it, or cancel it "
            f"(`jobs cancel {run.job}`): its lock is released at its end."
        )
    daemon = _found(session, paths.daemon(session.namespace, run.daemon))
    if daemon is not None and is_reported(run, parse_daemon(daemon)):
        raise PreconditionError(
            f"Its state is locked by the run of job {run.job}, which daemon {run.daemon} still reports. Wait until it has "
            "ended: its lock is released then."
        )


def _found(session: Session, path: str) -> Body | None:
    try:
        return session.cluster.get(path)
    except NotFoundError:
        return None
