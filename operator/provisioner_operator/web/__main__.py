"""The command line `provisioner-web`: reads the settings and runs the server."""

import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
import uvloop
from pydantic import ValidationError

from provisioner_operator import __version__
from provisioner_operator.kube.logins.login import LoginError
from provisioner_operator.web import server_log
from provisioner_operator.web.local_server import local_settings, serve_locally
from provisioner_operator.web.server import TaskEndedError, serve
from provisioner_operator.web.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """The web server: a REST API in Coder's shapes, and a page to find, understand and cancel provisioner jobs."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Kubeconfig of the cluster to show; else KUBECONFIG, else the Pod's ServiceAccount.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Show only this namespace; may be repeated. Without it, all are shown.",
)
@click.option("--http-port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.option("--http-host", help="Address to listen on. The default is every address, of IPv4 and IPv6.")
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Port of /metrics. Without it, there are no metrics."
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    help="Host name under which the server is reached, without a port; may be repeated. Loopback is always allowed.",
)
@click.option("--read-only", is_flag=True, default=None, help="Refuse every request that changes something.")
@click.option("--log-format", type=click.Choice(["json", "text"]), help="Format of the log.")
def run(
    *,
    kubeconfig: Path | None,
    namespaces: tuple[str, ...],
    http_port: int | None,
    http_host: str | None,
    metrics_port: int | None,
    allowed_hosts: tuple[str, ...],
    read_only: bool | None,
    log_format: str | None,
) -> None:
    """Run the server for all users of a cluster, each with a token of their own.

    Every setting may also be given as an environment variable PROVISIONER_WEB_<NAME>.
    """
    given = {
        "kubeconfig": kubeconfig,
        "namespaces": namespaces or None,
        "http_port": http_port,
        "http_host": http_host,
        "metrics_port": metrics_port,
        "allowed_hosts": allowed_hosts or None,
        "read_only": read_only,
        "log_format": log_format,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise click.UsageError(_explain(error)) from None
    server_log.configure(settings.log_format)
    _run(serve(settings))


@main.command()
@click.option("--kubeconfig", help="Kubeconfig of the user; else KUBECONFIG, else ~/.kube/config.")
@click.option("--context", "context_name", help="Context of the kubeconfig.")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Show only this namespace; may be repeated.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on. The default picks a free one."
)
@click.option("--read-only", is_flag=True, help="Refuse every request that changes something.")
def local(
    *, kubeconfig: str | None, context_name: str | None, namespaces: tuple[str, ...], port: int, read_only: bool
) -> None:
    """Run the server for one user on loopback, as `kubectl provisioner web` does."""
    server_log.configure("text", logging.WARNING)
    settings = local_settings(port=port, read_only=read_only, namespaces=namespaces)
    _run(serve_locally(settings, kubeconfig, context_name))


def _run(server: Coroutine[Any, Any, None]) -> None:
    try:
        uvloop.run(server)
    except (LoginError, OSError, TaskEndedError) as error:
        click.echo(f"provisioner-web: {error}", err=True)
        sys.exit(1)


def _explain(error: ValidationError) -> str:
    """Name each invalid setting by its environment variable."""
    prefix = Settings.model_config["env_prefix"]
    return "\n".join(
        f"{prefix}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_url=False)
    )


if __name__ == "__main__":
    main()
