"""The console script `provisioner-daemon`."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.daemon.agent import Agent, Workshop
from provisioner_operator.daemon.echo.provisioner import Echo
from provisioner_operator.daemon.logs.console import JsonConsole, logging_to
from provisioner_operator.daemon.predecessor_lock import SuccessionError, succeed
from provisioner_operator.daemon.reporting.heartbeat import TakenOverError
from provisioner_operator.daemon.reporting.registration import Flags, RegistrationError, await_registration, register
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube.connect import Connection, LoginError, connect


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    namespace: str
    name: str
    pod_uid: str | None
    flags: Flags
    kubeconfig: Path | None
    terraform: Path | None
    directory: Path


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Run provisioner jobs that are assigned to this daemon."""


@main.command()
@click.option(
    "--namespace",
    required=True,
    envvar="POD_NAMESPACE",
    help="The organization whose jobs are run. [env: POD_NAMESPACE]",
)
@click.option(
    "--name", envvar="POD_NAME", help="The ProvisionerDaemon's name. [env: POD_NAME; default: the host's name]"
)
@click.option(
    "--pod-uid",
    envvar="POD_UID",
    help="The Pod that the daemon is: its annotations say what it offers, and the controller registers it. [env: POD_UID]",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="KEY=VALUE",
    help="What the daemon offers; repeat for more. Replaces all tags.",
)
@click.option("--provisioner", "provisioners", multiple=True, type=click.Choice([str(each) for each in Provisioner]))
@click.option("--capacity", type=click.IntRange(1, 1000), help="How many jobs run at a time.")
@click.option(
    "--lost-after-seconds", type=click.IntRange(10, 86_400), help="After so long without contact its jobs fail."
)
@click.option(
    "--cancel-grace-seconds", type=click.IntRange(0, 86_400), help="How long an interrupted run may take to stop."
)
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="[default: KUBECONFIG, or the Pod's]",
)
@click.option("--terraform", type=click.Path(path_type=Path), help="The terraform or tofu binary. [default: from PATH]")
@click.option(
    "--work-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where runs have their files. At most 40 characters: the sockets of Terraform's providers lie there.",
)
def run(
    *,
    namespace: str,
    name: str | None,
    pod_uid: str | None,
    tags: tuple[str, ...],
    provisioners: tuple[str, ...],
    capacity: int | None,
    lost_after_seconds: int | None,
    cancel_grace_seconds: int | None,
    kubeconfig: Path | None,
    terraform: Path | None,
    work_dir: Path | None,
) -> None:
    """Register as a ProvisionerDaemon and run its jobs until told to stop.

    SIGTERM or SIGINT finishes what runs and takes nothing new; a second one stops what runs. Options that describe the
    daemon (--tag, --provisioner, --capacity, …) change its ProvisionerDaemon; without them it is taken as it is. In a
    Pod they are refused: there the Pod's annotations say what the daemon offers.
    """
    flags = Flags(
        tags=_parse_tags(tags),
        provisioners=tuple(Provisioner(each) for each in dict.fromkeys(provisioners)) or None,
        capacity=capacity,
        lost_after_seconds=lost_after_seconds,
        cancel_grace_seconds=cancel_grace_seconds,
    )
    if pod_uid is not None and flags.as_spec():
        raise click.UsageError(
            f"A daemon in a Pod takes no {', '.join(flags.as_spec())} from its command line: annotate the Pod instead."
        )
    settings = Settings(
        namespace=namespace,
        pod_uid=pod_uid,
        name=name or socket.gethostname().lower(),
        flags=flags,
        kubeconfig=kubeconfig,
        terraform=terraform,
        directory=work_dir or Path(tempfile.gettempdir()),
    )
    with logging_to():
        try:
            asyncio.run(_run(settings))
        except (TakenOverError, RegistrationError, SuccessionError, LoginError) as error:
            raise click.ClickException(str(error)) from error


def _parse_tags(tags: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [tag.partition("=") for tag in tags]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise click.BadParameter(f"{key!r} is not KEY=VALUE", param_hint="--tag")
    return {key: value for key, _, value in pairs} or None


async def _run(settings: Settings) -> None:
    instance = str(uuid4())
    async with connect(settings.kubeconfig) as connection:
        client = connection.client
        registering = asyncio.create_task(_enter(connection, settings))
        _on_signals(registering.cancel)
        try:
            lock, body = await registering
        except asyncio.CancelledError:
            return
        echo = Echo(client, daemon=settings.name, instance=instance)
        access = ClusterAccess(_kubeconfig(settings.kubeconfig))
        terraform = Terraform(client, binary=settings.terraform, access=access)
        workshop = Workshop(
            {Provisioner.ECHO: echo, Provisioner.TERRAFORM: terraform},
            settings.directory,
            JsonConsole(sys.stdout),
            lock,
        )
        agent = Agent(client, body, instance=instance, workshop=workshop)
        _on_signals(agent.shut_down)
        await agent.run()


async def _enter(connection: Connection, settings: Settings) -> tuple[int, dict[str, Any]]:
    lock = await succeed(settings.directory, connection.server, settings.namespace, settings.name)
    client, namespace, name = connection.client, settings.namespace, settings.name
    if settings.pod_uid is not None:
        return lock, await await_registration(client, namespace, name, settings.pod_uid)
    return lock, await register(client, namespace, name, settings.flags)


def _on_signals(callback: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, callback)


def _kubeconfig(given: Path | None) -> Path | None:
    """Return the file that Terraform's backend is to use: the one that this process uses."""
    named = str(given) if given else os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named).absolute() if named else None


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
