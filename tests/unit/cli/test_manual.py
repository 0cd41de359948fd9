"""docs/cli.md is generated from the commands, and no command is without its help."""

from collections.abc import Iterator

import click
import pytest

from provisioner_operator.cli.app import app
from provisioner_operator.cli.daemons import commands as daemons_commands
from provisioner_operator.cli.daemons import listing
from provisioner_operator.cli.jobs import commands as jobs_commands
from provisioner_operator.cli.jobs import table
from provisioner_operator.cli.manual import manual
from provisioner_operator.cli.view import job_filter
from support.manifests import REPOSITORY


def commands(group: click.Group = app, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}".strip(), command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}".strip())


def test_the_manual_is_up_to_date() -> None:
    assert (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8") == manual(), "run: make docs"


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[path for path, _ in commands()])
def test_every_command_and_option_says_what_it_is_for(path: str, command: click.Command) -> None:
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or isinstance(parameter.type, click.Choice), f"{path} {parameter.name}"


def test_the_words_of_the_commands_are_those_of_the_selection() -> None:
    assert set(jobs_commands.STATUS_WORDS) == set(job_filter.STATUS_WORDS)
    assert jobs_commands.SORTINGS == table.SORTINGS
    assert daemons_commands.STATE_WORDS == listing.STATE_WORDS
