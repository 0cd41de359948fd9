"""What every command has: the options that choose the cluster and the way of output, and what follows from them."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from provisioner_operator.cli.api.kubeconfig import Access, Choice, find_access
from provisioner_operator.cli.errors import CliError, UsageError
from provisioner_operator.cli.output.times import parse_duration

if TYPE_CHECKING:
    from provisioner_operator.cli.api.client import Cluster
    from provisioner_operator.cli.output.terminal import Terminal

REQUEST_TIMEOUT = "10s"


@dataclass
class Session:
    """One command's cluster and terminal, made when they are first needed."""

    choice: Choice = field(default_factory=Choice)
    all_namespaces: bool = False
    request_timeout: float = 10.0
    utc: bool = True

    @cached_property
    def access(self) -> Access:
        """The cluster and user that are meant. Raises UsageError."""
        return find_access(self.choice, os.environ)

    @cached_property
    def cluster(self) -> "Cluster":
        """The API server. Raises UsageError."""
        from provisioner_operator.cli.api.client import Cluster  # noqa: PLC0415 - HTTP takes a tenth of a second to import

        return Cluster(self.access, timeout=self.request_timeout)

    @cached_property
    def terminal(self) -> "Terminal":
        """Where output goes."""
        from provisioner_operator.cli.output.terminal import Terminal  # noqa: PLC0415 - not needed for machine output

        return Terminal(utc=self.utc)

    @property
    def namespace(self) -> str:
        """The one namespace that is meant."""
        return self.access.namespace

    @property
    def scope(self) -> str | None:
        """The namespace to look into; None for all."""
        return None if self.all_namespaces else self.namespace


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h30m`; a bare number is seconds."""

    name = "duration"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
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
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The key and the value."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


def with_session(*, across: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of the cluster, and a `Session` as its first argument.

    Args:
        across: Whether the command may look into all namespaces.
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
                raise UsageError("-n and -A contradict each other: name one namespace, or all.")
            session = Session(Choice(kubeconfig, context_name, namespace), all_namespaces, request_timeout, utc)
            return command(session, **options)

        for option in reversed(_options(across=across)):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def _options(*, across: bool) -> list[Callable[[Any], Any]]:
    from provisioner_operator.cli import completion  # noqa: PLC0415 - it knows this module

    found: list[Callable[[Any], Any]] = [
        click.option(
            "-n", "--namespace", metavar="NAME", help="The namespace (organization) to work in.",
            shell_complete=completion.namespaces,
        )
    ]  # fmt: skip
    if across:
        found.append(click.option("-A", "--all-namespaces", is_flag=True, help="Look into all namespaces."))
    return [
        *found,
        click.option(
            "--kubeconfig", type=click.Path(path_type=Path), help="The kubeconfig file. [default: KUBECONFIG]"
        ),
        click.option(
            "--context",
            "context_name",
            metavar="NAME",
            help="The kubeconfig's context.",
            shell_complete=completion.contexts,
        ),
        click.option(
            "--request-timeout",
            type=Duration(),
            default=REQUEST_TIMEOUT,
            show_default=True,
            help="How long the API server may take to answer.",
        ),
        click.option("--utc/--local-time", default=True, show_default=True, help="How times are shown."),
    ]


def require(condition: object, message: str, error: type[CliError] = UsageError) -> None:
    """Raise the error with this message unless the condition holds."""
    if not condition:
        raise error(message)
