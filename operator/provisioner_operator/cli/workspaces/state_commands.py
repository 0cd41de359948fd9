"""`provisioner workspaces state …`: options and help texts. Each command imports its module when it is called."""

import click

from provisioner_operator.api.v1alpha1.names import WORKSPACES
from provisioner_operator.cli import completion
from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import report_output_option, with_session
from provisioner_operator.cli.session import Session

workspace_argument = click.argument("name", metavar="WORKSPACE", shell_complete=completion.names(WORKSPACES))


@click.group("state", cls=AliasedGroup, context_settings=CONTEXT)
def state() -> None:
    """List, read and restore the last versions of a workspace's Terraform state.

    For states in Secrets, and for users who may read Secrets: a state contains secrets in plain text.
    """


@state.command("list")
@workspace_argument
@report_output_option
@with_session()
def list_versions(session: Session, *, name: str, form: str) -> None:
    """List the versions that are kept, the newest first: their serial, their resources, and the job that found them."""
    from provisioner_operator.cli.workspaces.state_listing import list_state_versions

    list_state_versions(session, name, form)


@state.command()
@workspace_argument
@click.argument("version", required=False, type=click.IntRange(1))
@with_session()
def pull(session: Session, *, name: str, version: int | None) -> None:
    """Write the present state, or one of its versions, to standard output, as `terraform state pull` does."""
    from provisioner_operator.cli.workspaces.state_pull import pull_state

    pull_state(session, name, version)


@state.command()
@workspace_argument
@click.argument("version", type=click.IntRange(1))
@with_session()
def restore(session: Session, *, name: str, version: int) -> None:
    """Put a version in the place of the present state, which becomes a version itself.

    Changes no resource: the next build compares the resources with the restored state. Refused while a job of the workspace may run,
    and while the state is locked.
    """
    from provisioner_operator.cli.workspaces.state_restore import restore_state

    restore_state(session, name, version)
