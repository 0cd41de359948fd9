"""`jobs suspend` and `jobs resume`."""

from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import CliError, Exit, PreconditionError, combined
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths


def set_suspended(session: Session, names: Sequence[str], *, suspended: bool, dry_run: bool) -> Exit:
    """Set `spec.suspend` of these jobs."""
    codes = []
    for name in dict.fromkeys(names):
        try:
            _set(session, name, suspended=suspended, dry_run=dry_run)
            codes.append(Exit.OK)
        except CliError as error:
            session.terminal.note(f"{name}: {error}")
            codes.append(error.code)
    return combined(codes)


def _set(session: Session, name: str, *, suspended: bool, dry_run: bool) -> None:
    body = session.cluster.get(paths.job(session.namespace, name))
    phase = Phase((body.get("status") or {}).get("phase") or Phase.PENDING)
    if phase in TERMINAL:
        raise PreconditionError(f"The job has ended: it is {phase}.")
    if phase is not Phase.PENDING:
        raise PreconditionError(f"The job is {phase}: only a pending one can be suspended; cancel stops a run.")
    word = "suspended" if suspended else "resumed"
    if bool(body["spec"].get("suspend")) is suspended:
        session.terminal.say(f"{name}: is {'suspended already' if suspended else 'not suspended'}")
        return
    patch = JsonPatch(
        tests=(("/metadata/uid", body["metadata"]["uid"]), ("/status/phase", Phase.PENDING)),
        sets=(("/spec/suspend", suspended),),
    )
    session.cluster.json_patch(paths.job(session.namespace, name), patch, dry_run=dry_run)
    session.terminal.say(f"{name}: {word}{' (dry run)' if dry_run else ''}")
