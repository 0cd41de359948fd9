"""`provisioner workspaces …` and `templates …`: options and help texts."""

import click

from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import column_option, output_option, with_session
from provisioner_operator.cli.session import Session


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def workspaces() -> None:
    """List workspaces."""


@workspaces.command("list")
@column_option
@output_option
@with_session(across=True)
def list_workspaces(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List workspaces with their template, their latest build and its job."""
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
    """List templates with their active version and their number of workspaces."""
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.workspaces import listing

    formats.checked(form)
    listing.list_templates(session, columns, form)
