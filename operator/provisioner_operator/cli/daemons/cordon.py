"""`daemons cordon` and `daemons uncordon`: stop and resume the assignment of jobs to daemons."""

from collections.abc import Iterable

from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION
from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.daemons.requests import cordon_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import daemon_report


def cordon_daemons(session: Session, names: Iterable[str], *, cordoned: bool, dry_run: bool = False) -> Exit:
    """Set `spec.cordoned` of these daemons."""
    codes = for_each(
        session.terminal, names, lambda name: set_cordoned(session, name, cordoned=cordoned, dry_run=dry_run)
    )
    return combined(codes.values())


def set_cordoned(session: Session, name: str, *, cordoned: bool, dry_run: bool = False) -> str:
    """Set `spec.cordoned`; returns the outcome in words. Raises NothingToDoError, or CliError."""
    before = change(
        session.cluster,
        paths.daemon(session.namespace, name),
        lambda body: cordon_patch(daemon_report(body), cordoned=cordoned),
        dry_run=dry_run,
    )
    pool = daemon_report(before).meta.annotations.get(CORDONED_BY_ANNOTATION)
    note = f"; pool {pool} is about to remove it and may cordon it again" if pool and not cordoned else ""
    return f"{'cordoned' if cordoned else 'uncordoned'}{' (dry run)' if dry_run else ''}{note}"
