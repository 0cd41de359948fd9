"""Click groups of this program: commands imported on demand, and commands with shorter second names.

Options that every command takes may stand before the command, as with kubectl: `kubectl provisioner -n acme jobs list`.
"""

from importlib import import_module

import click
from typing_extensions import override

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""Click settings of every group."""


VALUED = ("-n", "--namespace", "--kubeconfig", "--context", "--request-timeout")
FLAGS = ("-A", "--all-namespaces", "--utc", "--local-time")
"""Options that every command takes; a test compares them with `options`, whose import would delay every command."""


class Group(click.Group):
    """A group that passes the options of every command on to the command that follows them."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, command_first(args))


def command_first(arguments: list[str]) -> list[str]:
    """Move the options of every command that stand before the command behind it."""
    count = _leading_options(arguments)
    command = arguments[count : count + 1]
    return [*command, *arguments[:count], *arguments[count + 1 :]] if command else arguments


def _leading_options(arguments: list[str]) -> int:
    """Return the number of arguments before the command that are options of every command, or their values."""
    count = 0
    while count < len(arguments):
        argument = arguments[count]
        if argument in VALUED:
            count += 2
        elif argument in FLAGS or argument.startswith(tuple(f"{each}=" for each in VALUED if each.startswith("--"))):
            count += 1
        elif argument.startswith("-n") and not argument.startswith("--"):
            count += 1  # -nNAME
        else:
            break
    return min(count, len(arguments))


class LazyGroup(Group):
    """A group that imports the module of a command only when that command is called, or for help."""

    def __init__(self, *, lazy: dict[str, tuple[str, str]], **attributes: object) -> None:
        """Take the module (below `provisioner_operator.cli`) and the name of each command."""
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._lazy = lazy

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys([*self._lazy, *super().list_commands(ctx)]))

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._lazy:
            module, name = self._lazy[cmd_name]
            command: click.Command = getattr(import_module(f"provisioner_operator.cli.{module}"), name)
            return command
        return super().get_command(ctx, cmd_name)


class AliasedGroup(Group):
    """A group some of whose commands have a second, shorter name."""

    aliases: dict[str, str] = {"ls": "list", "get": "show", "describe": "show"}  # noqa: RUF012 - never changed

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their definition: the most frequent ones are defined first."""
        return list(self.commands)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        return found or super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        _, command, rest = super().resolve_command(ctx, args)
        return command.name if command else None, command, rest
