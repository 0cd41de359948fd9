"""`provisioner version`, `completion` and `help`: options and help texts."""

import click

from provisioner_operator.cli.options import report_output_option, with_session
from provisioner_operator.cli.session import Session

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.option("--client", is_flag=True, help="Print only the version of this program; do not contact the cluster.")
@report_output_option
@with_session()
def version(session: Session, *, client: bool, form: str) -> None:
    """Show the versions of all components.

    That is this program, the API server, the product's API and the daemons.
    """
    from provisioner_operator.cli.version import print_versions

    print_versions(session, client_only=client, as_json=form == "json")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.option("--program", default="provisioner", show_default=True, help="The name under which you call the program.")
@click.pass_context
def completion(context: click.Context, shell: str, program: str) -> None:
    """Print a shell completion script.

    It completes commands, options, and names and statuses from the cluster.

    \b
    bash   source <(provisioner completion bash)
    zsh    source <(provisioner completion zsh)
    fish   provisioner completion fish | source

    `kubectl provisioner` needs no script: kubectl's own completion calls the program kubectl_complete-provisioner, which
    is installed with this one.
    """  # noqa: D301 - \\b is click's mark for text that keeps its lines
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    app = context.find_root().command
    click.echo(found(app, {}, program, f"_{program.upper().replace('-', '_')}_COMPLETE").source())


@click.command("help")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command."""
    parent = context.parent or context
    command: click.Command = parent.command
    for word in words:
        found = command.get_command(parent, word) if isinstance(command, click.Group) else None
        if found is None:
            raise click.UsageError(f"There is no command {' '.join(words)!r}.", parent)
        command, parent = found, click.Context(found, info_name=found.name, parent=parent)
    click.echo(command.get_help(parent))
