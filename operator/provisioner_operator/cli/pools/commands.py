"""`provisioner pools …`: options and help texts."""

import click

from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import column_option, output_option, with_session
from provisioner_operator.cli.session import Session


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def pools() -> None:
    """List pools of daemons."""


@pools.command("list")
@column_option
@output_option
@with_session(across=True)
def list_pools(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List pools with their desired, existing, idle and busy daemons, and the jobs that wait for them."""
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.pools import listing

    formats.checked(form)
    listing.list_pools(session, columns, form)
