"""`provisioner workspaces …` and `templates …`: options and their meaning."""

import click

from provisioner_operator.cli.app import CONTEXT, AliasedGroup
from provisioner_operator.cli.daemons.commands import column_option, output_option
from provisioner_operator.cli.session import Session, with_session


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def workspaces() -> None:
    """List workspaces."""


@workspaces.command("list")
@column_option
@output_option
@with_session(across=True)
def list_workspaces(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List workspaces, the template of each, and the job that builds it."""
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.workspaces import listing

    formats.checked(form)
    listing.list_workspaces(session, columns, form)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def templates() -> None:
    """List templates."""


@templates.command("list")
@column_option
@output_option
@with_session(across=True)
def list_templates(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List templates, the version that is active, and how many workspaces each has."""
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.workspaces import listing

    formats.checked(form)
    listing.list_templates(session, columns, form)
