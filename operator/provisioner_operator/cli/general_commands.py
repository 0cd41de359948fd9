"""`provisioner top`, `doctor`, `version`, `completion` and `help`: options and their meaning."""

import click

from provisioner_operator.cli.errors import Exit
from provisioner_operator.cli.session import Session, with_session

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@with_session(across=True)
def top(session: Session) -> None:
    """Show the queue, the running jobs and the daemons, live and full-screen.

    Keys: / filters, Enter shows a job, w says why it waits, l follows its log, c cancels it (after a question), Tab changes
    the table, q ends.
    """
    from provisioner_operator.cli.top.app import run

    run(session)


@click.command()
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--operator-namespace", default="provisioner-system", show_default=True, help="Where the operator's Lease is."
)
@with_session(across=True)
def doctor(session: Session, *, form: str, operator_namespace: str) -> Exit:
    """Check the installation and your rights; each finding comes with its remedy.

    Exit code 1 if something is wrong. What may not be looked at is said, and is no error.
    """
    from provisioner_operator.cli.doctor.probe import examine

    return examine(session, operator_namespace, as_json=form == "json")


@click.command()
@click.option("--client", is_flag=True, help="Do not ask the cluster.")
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_session()
def version(session: Session, *, client: bool, form: str) -> None:
    """Show the versions of this program, the API server, the kinds and the daemons."""
    from provisioner_operator.cli.version import print_versions

    print_versions(session, client_only=client, as_json=form == "json")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.option("--program", default="provisioner", show_default=True, help="The name by which you call it.")
def completion(shell: str, program: str) -> None:
    """Print a script that completes commands, options, and names and statuses from the cluster.

    \b
    bash   source <(provisioner completion bash)
    zsh    source <(provisioner completion zsh)
    fish   provisioner completion fish | source

    For `kubectl provisioner`, kubectl's own completion asks the program kubectl_complete-provisioner, which comes with
    this one.
    """  # noqa: D301 - \\b is click's mark for text that keeps its lines
    from click.shell_completion import get_completion_class

    from provisioner_operator.cli.app import app

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(found(app, {}, program, f"_{program.upper().replace('-', '_')}_COMPLETE").source())


@click.command("help")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show what a command does."""
    parent = context.parent or context
    command: click.Command = parent.command
    for word in words:
        found = command.get_command(parent, word) if isinstance(command, click.Group) else None
        if found is None:
            raise click.UsageError(f"There is no command {' '.join(words)!r}.", parent)
        command, parent = found, click.Context(found, info_name=found.name, parent=parent)
    click.echo(command.get_help(parent))
