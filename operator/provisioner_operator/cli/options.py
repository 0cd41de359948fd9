"""Options that several commands share: the cluster and the namespace, output forms, tags and durations."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from provisioner_operator.cli import completion
from provisioner_operator.cli.api.kubeconfig import Choice
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output.times import parse_duration
from provisioner_operator.cli.session import Session

REQUEST_TIMEOUT = "10s"
_FORMS = ("table", "wide", "json", "yaml", "name", "jsonpath=")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Adds one or more options to a command."""


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h30m`; a bare number is seconds."""

    name = "duration"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration in seconds."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Tag(click.ParamType[tuple[str, str]]):
    """KEY=VALUE."""

    name = "key=value"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the key and the value."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key, text


output_option: Decorator = click.option(
    "-o",
    "--output",
    "form",
    default="table",
    help="table, wide, json, yaml, name, or jsonpath=TEMPLATE.",
    shell_complete=completion.words(*_FORMS),
)
"""The form of a list."""

object_output_option: Decorator = click.option(
    "-o",
    "--output",
    "form",
    help="json, yaml, name, or jsonpath=TEMPLATE.",
    shell_complete=completion.words("json", "yaml", "name", "jsonpath="),
)
"""The form of one object; without it, text for people."""

report_output_option: Decorator = click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
"""The form of a report that is no object of the API."""

column_option: Decorator = click.option(
    "-c",
    "--column",
    "columns",
    multiple=True,
    help="Columns to show, by title; repeat the option or separate titles with commas.",
)

dry_run_option: Decorator = click.option(
    "--dry-run", is_flag=True, help="Let the API server check the request without storing the change."
)


def with_session(*, across: bool = False) -> Decorator:
    """Add the options that choose the cluster to a command, and pass it a `Session` as its first argument.

    Args:
        across: Whether the command takes --all-namespaces.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(
            *,
            kubeconfig: Path | None,
            context_name: str | None,
            namespace: str | None,
            request_timeout: float,
            utc: bool,
            all_namespaces: bool = False,
            **options: Any,
        ) -> Any:
            if all_namespaces and namespace:
                raise UsageError("-n and -A exclude each other: name one namespace, or list all of them.")
            session = Session(Choice(kubeconfig, context_name, namespace), all_namespaces, request_timeout, utc)
            return command(session, **options)

        decorated: Callable[..., Any] = wrapped
        for option in reversed(_session_options(across=across)):
            decorated = option(decorated)
        return decorated

    return decorate


def _session_options(*, across: bool) -> list[Decorator]:
    namespace = click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        help="The namespace (organization) to work in.",
        shell_complete=completion.namespaces,
    )
    all_namespaces = click.option("-A", "--all-namespaces", is_flag=True, help="List all namespaces.")
    return [
        namespace,
        *([all_namespaces] if across else []),
        click.option("--kubeconfig", type=click.Path(path_type=Path), help="A kubeconfig file. [default: KUBECONFIG]"),
        click.option(
            "--context",
            "context_name",
            metavar="NAME",
            help="The context of the kubeconfig to use.",
            shell_complete=completion.contexts,
        ),
        click.option(
            "--request-timeout",
            type=Duration(),
            default=REQUEST_TIMEOUT,
            show_default=True,
            help="Longest time to wait for an answer of the API server.",
        ),
        click.option("--utc/--local-time", default=True, show_default=True, help="Time zone of the times shown."),
    ]
