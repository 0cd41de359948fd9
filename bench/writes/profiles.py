"""Profile the API server, by parts, for each kind of write in a job's life. A control plane of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.profiles --against ../before

Prints milliseconds a write, and the share of each part. Parts exclude each other, so that they add up. Jobs are watched as in
production: the controller's watch has all of them, a daemon's its own. Needs Go, for `go tool pprof`.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvloop

from bench.client import Client, Request, a_client
from bench.meters import cpu_seconds, used
from bench.writes import variants
from bench.writes.admission import CONNECTIONS, NAME, PATCHES, SHIPPED, a_job, register, settle, stored
from bench.writes.stacks import OTHER, PARTS, parts_of, stacks_of
from bench.writes.variants import CONTROLLER, DAEMON, NAMESPACE, SUBMITTER, Variant
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.build.go_modules import CONTROL_PLANE
from provisioner_devcluster.build.go_toolchain import find_go
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.kube import paths
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROFILE = "/debug/pprof/profile"
_SECONDS_A_WRITE = 0.008
"""So long a profile is for each write; the rest of it sees an API server that is idle."""
_WARM_UP = 200
Parts = dict[str, float]
"""Milliseconds of CPU a write, by part."""


@click.command()
@click.option("--writes", default=1500, show_default=True, help="Writes of each kind.")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
def main(writes: int, against: Path | None) -> None:
    """Measure and print."""
    measured = (SHIPPED,) if against is None else (Variant("before", against.resolve()), SHIPPED)
    with ControlPlane.start() as plane:
        plane.stop_scheduler()
        variants.install(measured, Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for(SUBMITTER)))
        for variant in measured:
            _show(variant.name, uvloop.run(_measure(plane, variant, writes)))


async def _measure(plane: ControlPlane, variant: Variant, writes: int) -> dict[str, Parts]:
    async with AsyncExitStack() as stack:
        clients = {
            user: await stack.enter_async_context(a_client(plane.kubeconfig_for(user))) for user in variants.ROLES
        }
        admin = await stack.enter_async_context(a_client(plane.kubeconfig))
        bench = _Bench(admin, clients, variant, plane.identity(Component.API_SERVER).pid)
        await register(admin, variant, 1)
        async with asyncio.TaskGroup() as group:
            watches = [
                group.create_task(_watch(clients[CONTROLLER], variant)),
                group.create_task(_watch(clients[DAEMON], variant, fieldSelector=f"status.assignment.daemon={NAME}-0")),
            ]
            await bench.live("warm-up", _WARM_UP)
            found = await bench.live("job", writes)
            for watch in watches:
                watch.cancel()
        return found


class _Bench:
    """Profiles of batches of writes, each of one kind."""

    def __init__(self, admin: Client, clients: Mapping[str, Client], variant: Variant, pid: int) -> None:
        self._admin = admin
        self._clients = clients
        self._variant = variant
        self._pid = {"server": pid}

    async def live(self, prefix: str, writes: int) -> dict[str, Parts]:
        """Send the writes of whole lives of jobs, and return the parts of each kind."""
        collection = paths.jobs(NAMESPACE)
        jobs = [Request.create(collection, a_job(f"{prefix}-{number}")) for number in range(writes)]
        found = {"creation": await self._parts(SUBMITTER, jobs)}
        for write, patch in PATCHES.items():
            bodies = await stored(self._admin, self._variant, collection)
            user = CONTROLLER if write == "assignment" else DAEMON
            found[write] = await self._parts(user, [patch(body) for body in bodies])
        await self._admin.delete_all(self._variant.path(collection), "")
        return found

    async def _parts(self, user: str, requests: Sequence[Request]) -> Parts:
        there = [self._variant.request(each) for each in requests]
        await settle(self._pid)
        before = cpu_seconds(self._pid)
        seconds = max(2, round(len(there) * _SECONDS_A_WRITE))
        profile = asyncio.create_task(self._admin.read(_PROFILE, seconds=str(seconds)))
        await self._clients[user].send_all(there, CONNECTIONS)
        content = await profile
        a_write = 1000 * used(before, cpu_seconds(self._pid))["server"] / len(there)
        parts = parts_of(stacks_of(await asyncio.to_thread(_traces, content)))
        return {part: a_write * spent / parts.total() for part, spent in parts.items()}


def _traces(profile: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".pb.gz") as file:
        file.write(profile)
        file.flush()
        command = [str(find_go(CONTROL_PLANE.go_version)), "tool", "pprof", "-traces", "-unit=us", file.name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def _watch(client: Client, variant: Variant, **selector: str) -> None:
    """Read the events of jobs, as the controller and a daemon do."""
    collection = variant.path(paths.jobs(NAMESPACE))
    page = await client.ask(collection, limit="1", **selector)
    async for _event in client.events(collection, page["metadata"]["resourceVersion"], **selector):
        pass


def _show(title: str, measured: Mapping[str, Parts]) -> None:
    """Print a row for each part, with two columns for each kind of write."""
    _line(f"{title}: CPU of kube-apiserver, ms", measured)
    for part in (*PARTS, OTHER):
        cells = [parts.get(part, 0) for parts in measured.values()]
        totals = [sum(parts.values()) for parts in measured.values()]
        _line(part, [f"{cell:.2f} {100 * cell / total:3.0f} %" for cell, total in zip(cells, totals, strict=True)])
    _line("all", [f"{sum(parts.values()):.2f}      " for parts in measured.values()])


def _line(title: str, cells: Sequence[str] | Mapping[str, Parts]) -> None:
    print(f"{title:<44}" + "".join(f"{cell:>14}" for cell in cells), flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
