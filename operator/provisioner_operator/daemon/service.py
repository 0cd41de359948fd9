"""Serve as one daemon: connect, wait for the predecessor, register, then run the agent. Called by `__main__`.

Signals mean different things before and after the registration: before it, there is nothing to finish and the process just
ends; after it, the daemon drains.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.pod_environment import PROVIDER_CACHE_VARIABLE
from provisioner_operator.core.daemons.run_environment import run_environment
from provisioner_operator.daemon import predecessor_lock
from provisioner_operator.daemon.agent import Agent, RunResources
from provisioner_operator.daemon.echo.provisioner import Echo
from provisioner_operator.daemon.execution.guard import adopt_orphans
from provisioner_operator.daemon.execution.unsaved_state import UnsavedState
from provisioner_operator.daemon.execution.workdir import PREFIX, private_directory, sweep
from provisioner_operator.daemon.logs.console import JsonConsole
from provisioner_operator.daemon.logs.output_writer import OutputWriter
from provisioner_operator.daemon.reporting.registration import Flags, await_registration, register
from provisioner_operator.daemon.reporting.traces import RunTraces
from provisioner_operator.daemon.saving.leftovers import unsaved_states_in
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.binaries.version import identify
from provisioner_operator.daemon.terraform.kubeconfig import RunKubeconfig
from provisioner_operator.daemon.terraform.provider_cache import ProviderStore
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.run_lock import StateLocks
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube.connect import Connection, connect
from provisioner_operator.tracing.exporter import start_exporter

logger = logging.getLogger(__name__)

IDENTITY_DIGITS = 8
"""Digits of a daemon's digest in the names of its run directories: enough for the daemons that share a directory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the command line."""

    namespace: str
    name: str
    pod_uid: str | None
    flags: Flags
    kubeconfig: Path | None
    binaries: Binaries
    directory: Path
    drain_seconds: int | None = None
    """Time that runs get to end after the first signal; unlimited if None."""
    pass_env: tuple[str, ...] = ()


async def serve(settings: Settings, output: OutputWriter) -> None:
    """Work as the daemon until shut down; the jobs' lines go to the output.

    Raises TakenOverError, DaemonDeletedError, RegistrationError, PredecessorLockError, LoginError, MissingProgramError or
    UnsupportedProgramError.
    """
    async with connect(settings.kubeconfig) as connection:
        registering = asyncio.create_task(_register(connection, settings))
        _install_signal_handlers(registering.cancel)
        try:
            lock, body = await registering
        except asyncio.CancelledError:
            return
        # Before the first heartbeat, which would get it jobs that could only fail.
        _require_programs(settings, ProvisionerDaemon.model_validate(body).spec.provisioners)
        if settings.binaries.directories:
            await asyncio.to_thread(_log_programs, settings)
        adopt_orphans()
        # After the lock: no run of this daemon lives on this machine any more.
        prefix = run_prefix(connection.server, settings)
        # Before the sweep, which leaves only the states themselves, and before the first heartbeat, which lists them.
        leftovers = await asyncio.to_thread(unsaved_states_in, settings.directory, prefix)
        await asyncio.to_thread(sweep, settings.directory, prefix)
        instance = str(uuid4())
        async with _cluster_access(connection, settings.directory, prefix) as access, _traces() as traces:
            resources = _resources(connection, settings, instance, lock, output, prefix, access, leftovers, traces)
            agent = Agent(
                connection.client, body, instance=instance, resources=resources, drain_seconds=settings.drain_seconds
            )
            _install_signal_handlers(agent.shut_down)
            await agent.run()


@asynccontextmanager
async def _cluster_access(connection: Connection, directory: Path, prefix: str) -> AsyncIterator[ClusterAccess]:
    """Give Terraform's backend the daemon's own access to the cluster."""
    if connection.credential.chosen is None:
        yield ClusterAccess()
        return
    # A later process of this daemon sweeps it, like the directories of runs, if this one is killed.
    async with private_directory(directory, f"{prefix}login-") as private:
        kubeconfig = RunKubeconfig(private.path)
        await connection.credential.observe(kubeconfig.update)
        yield ClusterAccess(kubeconfig.path)


@asynccontextmanager
async def _traces() -> AsyncIterator[RunTraces]:
    """Send traces of runs, if the environment asks for them; the last ones before it ends."""
    exporter = start_exporter("provisioner-daemon", os.environ)
    if exporter is None:
        yield RunTraces()
        return
    try:
        yield RunTraces(exporter.send)
    finally:
        await asyncio.to_thread(exporter.close)


async def _register(connection: Connection, settings: Settings) -> tuple[int, dict[str, Any]]:
    # The lock first: a registration would tell the controller that the runs of the former process are over.
    lock = await predecessor_lock.acquire(settings.directory, connection.server, settings.namespace, settings.name)
    client, namespace, name = connection.client, settings.namespace, settings.name
    if settings.pod_uid is not None:
        return lock, await await_registration(client, namespace, name, settings.pod_uid)
    return lock, await register(
        client, namespace, name, settings.flags, lambda provisioners: _require_programs(settings, provisioners)
    )


def _require_programs(settings: Settings, provisioners: Sequence[Provisioner]) -> None:
    """Raise MissingProgramError or UnsupportedProgramError unless the daemon can run these provisioners."""
    if Provisioner.TERRAFORM in provisioners:
        identify(settings.binaries.default())


def _log_programs(settings: Settings) -> None:
    """Name the programs among which jobs choose by terraformVersion."""
    usable, faults = settings.binaries.search()
    logger.info("Terraform jobs may choose among: %s", ", ".join(map(str, usable)))
    for fault in faults:
        logger.warning("Not usable for Terraform jobs: %s", fault)


def _resources(
    connection: Connection,
    settings: Settings,
    instance: str,
    lock: int,
    output: OutputWriter,
    prefix: str,
    access: ClusterAccess,
    leftovers: Sequence[UnsavedState],
    traces: RunTraces,
) -> RunResources:
    echo = Echo(connection.client, daemon=settings.name, instance=instance)
    passed = run_environment(os.environ, settings.pass_env)
    if passed.values:
        logger.info("Runs get these variables of the daemon: %s", ", ".join(sorted(passed.values)))
    cache = provider_directory(os.environ | passed.values)
    store = None if cache is None else ProviderStore(cache)
    locks = StateLocks(connection.client, settings.name, instance, predecessor_lock.site(lock))
    terraform = Terraform(
        connection.client, binaries=settings.binaries, access=access, passed=passed, store=store, locks=locks
    )
    return RunResources(
        {Provisioner.ECHO: echo, Provisioner.TERRAFORM: terraform},
        settings.directory,
        JsonConsole(output),
        lock,
        prefix,
        access,
        leftovers,
        settings.binaries,
        traces,
    )


def provider_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the directory in which the daemon keeps providers, or None if it keeps none."""
    given = environment.get(PROVIDER_CACHE_VARIABLE)
    return Path(given).absolute() if given else None


def run_prefix(server: str, settings: Settings) -> str:
    """Return the beginning of the names of this daemon's run directories: short, as the paths of sockets begin with it."""
    return f"{PREFIX}{predecessor_lock.identity(server, settings.namespace, settings.name)[:IDENTITY_DIGITS]}-"


def _install_signal_handlers(callback: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, callback)
