"""`provisioner daemons …`, `pools …` and `match`: options and their meaning."""

import click

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.cli import completion
from provisioner_operator.cli.app import CONTEXT, AliasedGroup
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.session import Duration, Session, Tag, with_session

STATE_WORDS = ("idle", "busy", "draining", "offline", "cordoned")
_FORM_HELP = "table, wide, json, yaml, name, or jsonpath=TEMPLATE."
_FORMS = ("table", "wide", "json", "yaml", "name", "jsonpath=")

daemon_argument = click.argument("name", metavar="DAEMON", shell_complete=completion.names(DAEMONS))
daemons_argument = click.argument(
    "names", metavar="DAEMON...", nargs=-1, required=True, shell_complete=completion.names(DAEMONS)
)
output_option = click.option(
    "-o", "--output", "form", default="table", help=_FORM_HELP, shell_complete=completion.words(*_FORMS)
)
column_option = click.option(
    "-c", "--column", "columns", multiple=True, help="Columns to show, by their titles; repeat, or commas."
)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def daemons() -> None:
    """List, explain, cordon and drain provisioner daemons."""


@daemons.command("list")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help=f"Of {', '.join(STATE_WORDS)}; repeat, or separate by commas.",
    shell_complete=completion.words(*STATE_WORDS),
)
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag that the daemon has; repeat for more.")
@click.option(
    "--failing",
    is_flag=True,
    help="Only those with failures in a row, or near misses of waiting jobs; the worst first.",
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

    FAILURES are jobs that failed on it since it last completed one. MISMATCHES are waiting jobs to which it is the
    nearest daemon, but for tags. A daemon is Offline by its own word, or when it has been silent for 2/15 of its
    lostAfterSeconds.
    """
    from provisioner_operator.cli.daemons import listing
    from provisioner_operator.cli.output import formats

    formats.checked(form)
    listing.list_daemons(
        session, states=listing.parse_states(statuses), tags=tags, failing=failing, column_names=columns, form=form
    )


@daemons.command("show")
@daemon_argument
@click.option("-o", "--output", "form", help="json, yaml, name, or jsonpath=TEMPLATE.")
@with_session()
def show_daemon(session: Session, *, name: str, form: str | None) -> None:
    """Show one daemon and its last jobs."""
    from provisioner_operator.cli.daemons import listing

    listing.show_daemon(session, name, form)


@daemons.command()
@daemons_argument
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@with_session()
def cordon(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Give daemons no further jobs; what runs goes on."""
    from provisioner_operator.cli.daemons import listing

    return listing.cordon(session, names, cordoned=True, dry_run=dry_run)


@daemons.command()
@daemons_argument
@click.option("--dry-run", is_flag=True, help="Ask the API server whether it would be done; change nothing.")
@with_session()
def uncordon(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Let daemons take jobs again."""
    from provisioner_operator.cli.daemons import listing

    return listing.cordon(session, names, cordoned=False, dry_run=dry_run)


@daemons.command()
@daemons_argument
@click.option(
    "--force", is_flag=True, help="Kill what they run, which may lose what it did. Needs the right to cancel."
)
@click.option("--reason", help="With --force: why, for whoever looks at the jobs later.")
@click.option("--timeout", type=Duration(), help="Give up after that long. [default: never]")
@with_session()
def drain(session: Session, *, names: tuple[str, ...], force: bool, reason: str | None, timeout: float | None) -> Exit:
    """Cordon daemons, then wait until their jobs have ended. They stay cordoned."""
    from provisioner_operator.cli.daemons import drain as draining

    return draining.drain(session, names, force=force, timeout=timeout, reason=reason)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def pools() -> None:
    """List pools of daemons."""


@pools.command("list")
@column_option
@output_option
@with_session(across=True)
def list_pools(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List pools: how many daemons are wanted, there, idle and busy, and how many jobs wait for them."""
    from provisioner_operator.cli.daemons import listing
    from provisioner_operator.cli.output import formats

    formats.checked(form)
    listing.list_pools(session, columns, form)


@click.command()
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag that the job would have; repeat for more.")
@click.option(
    "--provisioner",
    type=click.Choice([str(each) for each in Provisioner]),
    default=str(Provisioner.TERRAFORM),
    show_default=True,
)
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_session()
def match(session: Session, *, tags: tuple[tuple[str, str], ...], provisioner: str, form: str) -> Exit:
    """Say which daemons would take a job with such tags now, before it is submitted.

    Exit code 0 if one would take it at once, 5 if it would wait.
    """
    from provisioner_operator.cli.daemons import listing

    return listing.match(session, tags, provisioner, as_json=form == "json")
