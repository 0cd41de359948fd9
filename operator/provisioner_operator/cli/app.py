"""The tree of commands. Each group's module is imported when it is needed: a prompt that waits half a second is too slow."""

from importlib import import_module

import click
from typing_extensions import override

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class LazyGroup(click.Group):
    """A group whose commands are in modules that are imported only for the command that is called, or for help."""

    def __init__(self, *, lazy: dict[str, tuple[str, str]], **attributes: object) -> None:
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


app = LazyGroup(
    name="provisioner",
    help="Find provisioner jobs that are stuck, see why, stop them.\n\nTalks to the API server alone, with your kubeconfig"
    " and your rights. `--debug`, anywhere, or PROVISIONER_DEBUG=1 shows where an error came from.",
    context_settings=CONTEXT,
    lazy={
        "jobs": ("jobs.commands", "jobs"),
        "daemons": ("daemons.commands", "daemons"),
        "pools": ("daemons.commands", "pools"),
        "workspaces": ("workspaces.commands", "workspaces"),
        "templates": ("workspaces.commands", "templates"),
        "match": ("daemons.commands", "match"),
        "top": ("general_commands", "top"),
        "doctor": ("general_commands", "doctor"),
        "version": ("general_commands", "version"),
        "completion": ("general_commands", "completion"),
        "help": ("general_commands", "help_"),
    },
)


class AliasedGroup(click.Group):
    """A group some of whose commands have a second, shorter name."""

    aliases: dict[str, str] = {"ls": "list", "get": "show", "describe": "show"}  # noqa: RUF012 - never changed

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they are defined: what one asks first stands first."""
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
