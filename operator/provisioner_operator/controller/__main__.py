"""`provisioner-operator`: the controller's command line."""

import asyncio
import signal
import sys
from pathlib import Path

import click
import kopf
import uvloop
from pydantic import ValidationError

from provisioner_operator import __version__
from provisioner_operator.controller.handlers import register
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.telemetry import logs
from provisioner_operator.kube.connect import LoginError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """The controller of provisioner jobs."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="The cluster to serve; else KUBECONFIG, else the Pod's ServiceAccount.",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="Serve only this namespace; may be repeated. All when absent.",
)
@click.option(
    "--lease-namespace",
    help="Where the Lease is by which several controllers agree on one that leads. Without it this one leads alone.",
)
@click.option("--http-port", type=click.IntRange(0, 65535), help="Port of the probes and /metrics; 0 picks a free one.")
@click.option("--http-host", help="Address that they listen on.")
@click.option("--log-format", type=click.Choice(["json", "text"]))
def run(
    kubeconfig: Path | None,
    namespaces: tuple[str, ...],
    lease_namespace: str | None,
    http_port: int | None,
    http_host: str | None,
    log_format: str | None,
) -> None:
    """Assign jobs, watch their clocks, finish cancels. Every option may also come from PROVISIONER_OPERATOR_<NAME>."""
    given = {
        "kubeconfig": kubeconfig,
        "namespaces": namespaces or None,
        "lease_namespace": lease_namespace,
        "http_port": http_port,
        "http_host": http_host,
        "log_format": log_format,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise click.UsageError(_explain(error)) from None
    logs.configure(settings.log_format)
    try:
        uvloop.run(_serve(Operator(settings)))
    except (StartupError, LoginError) as error:
        click.echo(f"provisioner-operator: {error}", err=True)
        sys.exit(1)


def _explain(error: ValidationError) -> str:
    """Name each setting that is wrong, as the command line and the environment know it."""
    lines = []
    for each in error.errors(include_url=False):
        name = str(each["loc"][0])
        variable = f"{Settings.model_config['env_prefix']}{name.upper()}"
        lines.append(f"--{name.replace('_', '-')} or {variable}: {each['msg']}")
    return "\n".join(lines)


async def _serve(operator: Operator) -> None:
    registry = kopf.OperatorRegistry()
    register(registry, operator)
    # From the first moment on: Kopf listens to signals only once it runs, and there may be no API server yet.
    stop, over = asyncio.Event(), asyncio.Event()
    _heed_signals(stop)
    starting = asyncio.create_task(operator.start())
    ending = asyncio.create_task(_resign(operator, stop, over))
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return
        await starting
        own_tasks = asyncio.all_tasks()
        namespaces = operator.settings.namespaces
        tasks = await kopf.spawn_tasks(
            registry=registry, standalone=True, clusterwide=not namespaces, namespaces=namespaces, stop_flag=over
        )
        _heed_signals(stop)  # Kopf has put its own in their place, which would end the watches first
        await kopf.run_tasks(tasks, ignored=own_tasks)
    finally:
        for task in (starting, ending):
            task.cancel()
        await asyncio.gather(starting, ending, return_exceptions=True)
        await operator.stop()


def _heed_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _resign(operator: Operator, stop: asyncio.Event, over: asyncio.Event) -> None:
    """Once asked to stop: first decide no more and let another lead, then end the watches."""
    await stop.wait()
    try:
        await operator.resign()
    finally:
        over.set()


if __name__ == "__main__":
    main()
