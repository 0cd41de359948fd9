"""`provisioner workspaces …` and `templates …`: options and help texts. Each command imports its module when it is called."""

import click

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.api.v1alpha1.names import TEMPLATES, WORKSPACES
from provisioner_operator.cli import completion
from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.groups import CONTEXT, AliasedGroup
from provisioner_operator.cli.options import (
    Tag,
    column_option,
    dry_run_option,
    object_output_option,
    output_option,
    with_session,
)
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.workspaces.state_commands import state

workspace_argument = click.argument("name", metavar="WORKSPACE", shell_complete=completion.names(WORKSPACES))
workspaces_argument = click.argument(
    "names", metavar="WORKSPACE...", nargs=-1, required=True, shell_complete=completion.names(WORKSPACES)
)
template_argument = click.argument("name", metavar="TEMPLATE", shell_complete=completion.names(TEMPLATES))
templates_argument = click.argument(
    "names", metavar="TEMPLATE...", nargs=-1, required=True, shell_complete=completion.names(TEMPLATES)
)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def workspaces() -> None:
    """List, show, plan, approve, start, stop, rebuild, update and unlock workspaces."""


@workspaces.command("list")
@column_option
@output_option
@with_session(across=True)
def list_workspaces(session: Session, *, columns: tuple[str, ...], form: str) -> None:
    """List workspaces with their template, their latest build and its job.

    OUTDATED is True if the workspace was last built with another version than its template's active one; `workspaces update` moves it.
    """
    from provisioner_operator.cli.output import formats
    from provisioner_operator.cli.workspaces import listing

    formats.checked(form)
    listing.list_workspaces(session, columns, form)


@workspaces.command("show")
@workspace_argument
@object_output_option
@with_session()
def show_workspace(session: Session, *, name: str, form: str | None) -> None:
    """Show everything about one workspace."""
    from provisioner_operator.cli.workspaces import show

    show.show_workspace(session, name, form)


@workspaces.command()
@workspace_argument
@click.option(
    "--set",
    "values",
    metavar="NAME=VALUE",
    type=Tag(),
    multiple=True,
    help="Another value of a parameter; repeat the option.",
)
@click.option("--version", metavar="NAME", help="Another version of the template.")
@click.option(
    "--transition",
    type=click.Choice(Transition, case_sensitive=False),
    help="The build to show. [default: what the workspace's spec asks for; a start with --set or --version]",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the plan, and print it.")
@with_session()
def plan(
    session: Session,
    *,
    name: str,
    values: tuple[tuple[str, str], ...],
    version: str | None,
    transition: Transition | None,
    wait: bool,
) -> Exit:
    """Show what a build of a workspace would create, change, replace and destroy.

    Submits a job of type WorkspacePlan, which reads the workspace's state and changes nothing. It needs the right to submit jobs.
    """
    from provisioner_operator.cli.workspaces.plan import plan_workspace
    from provisioner_operator.core.views.workspace_preview import PreviewRequest

    request = PreviewRequest(transition, version, dict(values))
    return plan_workspace(session, name, request, wait=wait)


@workspaces.command()
@workspace_argument
@click.option("--digest", metavar="DIGEST", help="Approve only the plan with this digest.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@with_session()
def approve(session: Session, *, name: str, digest: str | None, yes: bool) -> Exit:
    """Approve the plan for which the build of a workspace waits, after showing it.

    For workspaces whose spec.approval is Required. The build applies exactly this plan. Needs the verb `approve` on workspaces.
    """
    from provisioner_operator.cli.workspaces.approve import approve_plan

    return approve_plan(session, name, digest, yes=yes)


@workspaces.command()
@workspaces_argument
@dry_run_option
@with_session()
def start(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Start workspaces, also those that were stopped by their autostop."""
    from provisioner_operator.cli.workspaces.start import set_running

    return set_running(session, names, running=True, dry_run=dry_run)


@workspaces.command()
@workspaces_argument
@dry_run_option
@with_session()
def stop(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Stop workspaces."""
    from provisioner_operator.cli.workspaces.start import set_running

    return set_running(session, names, running=False, dry_run=dry_run)


@workspaces.command()
@workspaces_argument
@dry_run_option
@with_session()
def rebuild(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Build workspaces again as they should be: after a failure, or to repair resources. Raises spec.rebuildGeneration.

    The version stays the same, unless no build has completed yet or spec.updatePolicy chooses the active one:
    `workspaces update` moves to that.
    """
    from provisioner_operator.cli.workspaces.rebuild import rebuild_workspaces

    return rebuild_workspaces(session, names, dry_run=dry_run)


@workspaces.command()
@workspaces_argument
@dry_run_option
@with_session()
def update(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Move workspaces to the active version of their template, by spec.templateRef.version.

    If spec.updatePolicy is OnStart, and no version is pinned, the workspace is started again instead.
    """
    from provisioner_operator.cli.workspaces.update import update_workspaces

    return update_workspaces(session, names, dry_run=dry_run)


@workspaces.command()
@workspaces_argument
@dry_run_option
@with_session()
def unlock(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Release the locks of workspaces' states that dead holders have left, and name them.

    The next job of a workspace takes over the lock of a run that is certainly over, so this is for locks of others, such as Terraform
    run by hand. It refuses while a job or a daemon shows that the holder lives. Needs the verb `cancel` on provisionerjobs.
    """
    from provisioner_operator.cli.workspaces.unlock import unlock_workspaces

    return unlock_workspaces(session, names, dry_run=dry_run)


workspaces.add_command(state)


@click.group(cls=AliasedGroup, context_settings=CONTEXT)
def templates() -> None:
    """List, show and import templates."""


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


@templates.command("show")
@template_argument
@object_output_option
@with_session()
def show_template(session: Session, *, name: str, form: str | None) -> None:
    """Show everything about one template, and its versions."""
    from provisioner_operator.cli.workspaces import show

    show.show_template(session, name, form)


@templates.command("import")
@templates_argument
@dry_run_option
@with_session()
def import_(session: Session, *, names: tuple[str, ...], dry_run: bool) -> Exit:
    """Import templates again: after a failed import, or when a git ref has moved. Raises spec.importGeneration."""
    from provisioner_operator.cli.workspaces.import_template import import_templates

    return import_templates(session, names, dry_run=dry_run)
