"""`provisioner daemons …`: options and help texts. Each command imports its module when it is called."""

import click

from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.cli import completion
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import (
    Duration,
    Tag,
    column_option,
    dry_run_option,
    object_output_option,
    output_option,
    with_session,
)
from provisioner_operator.cli.session import Session

STATE_WORDS = ("idle", "busy", "draining", "offline", "cordoned")

daemon_argument = click.argument("name", metavar="DAEMON", shell_complete=completion.names(DAEMONS))
daemons_argument = click.argument(
    "names", metavar="DAEMON...", nargs=-1, required=True, shell_complete=completion.names(DAEMONS)
)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def daemons() -> None:
    """List, show, cordon and drain provisioner daemons."""


@daemons.command("list")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help=f"{', '.join(STATE_WORDS)}; repeat the option or separate statuses with commas.",
    shell_complete=completion.words(*STATE_WORDS),
)
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag of the daemon; repeat for more.")
@click.option(
    "--failing",
    is_flag=True,
    help="Only daemons with consecutive failures, or with jobs blocked by tags; the worst first.",
)
@column_option
@output_option
@with_session(across=True)
def list_daemons(
    session: Session,
    *,
    statuses: tuple[str, ...],
    tags: tuple[tuple[str, str], ...],
    failing: bool,
    columns: tuple[str, ...],
    form: str,
) -> None:
    """List daemons.

    FAILURES counts the jobs that failed on the daemon since it last completed one. BLOCKED BY TAGS counts the waiting jobs
    that no daemon matches and that come closest to this one: a change of tags, on the job or on the daemon, would let them
    run here (`jobs why` names it). A daemon is Offline if it reported so, or if its last heartbeat is older than 2/15 of
    its lostAfterSeconds; one that is idle reports less often, and has so much more time.
    """
    from provisioner_operator.cli.daemons import listing
    from provisioner_operator.cli.output import formats

    formats.checked(form)
    listing.list_daemons(
        session, states=listing.parse_states(statuses), tags=tags, failing=failing, column_names=columns, form=form
    )


@daemons.command("show")
@daemon_argument
@object_output_option
@with_session()
def show_daemon(session: Session, *, name: str, form: str | None) -> None:
    """Show one daemon and its last jobs."""
    from provisioner_operator.cli.daemons import show

    show.show_daemon(session, name, form)


@daemons.command()
@daemons_argument
@dry_run_option
@with_session()
def cordon(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Assign no further jobs to daemons; their running jobs continue."""
    from provisioner_operator.cli.daemons.cordon import cordon_daemons

    return cordon_daemons(session, names, cordoned=True, dry_run=dry_run)


@daemons.command()
@daemons_argument
@dry_run_option
@with_session()
def uncordon(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Assign jobs to daemons again."""
    from provisioner_operator.cli.daemons.cordon import cordon_daemons

    return cordon_daemons(session, names, cordoned=False, dry_run=dry_run)


@daemons.command()
@daemons_argument
@click.option(
    "--force", is_flag=True, help="Kill their runs; changes may be lost. Needs the verb `cancel` on provisionerjobs."
)
@click.option("--reason", help="With --force: the reason, recorded in the jobs.")
@click.option("--timeout", type=Duration(), help="Longest time to wait. [default: no limit]")
@with_session()
def drain(session: Session, *, names: tuple[str, ...], force: bool, reason: str | None, timeout: float | None) -> Exit:
    """Cordon daemons and wait until their jobs have ended. They stay cordoned."""
    from provisioner_operator.cli.daemons.drain import drain_daemons

    return drain_daemons(session, names, force=force, timeout=timeout, reason=reason)
