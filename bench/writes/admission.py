"""The API server's CPU for the writes of a job's life, and what its rules and policies are of it. A control plane of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.writes.admission --rounds 5 --writes 150

Prints milliseconds of CPU a write, medians of rounds in which the variants alternate. `--against` adds the kinds and policies of
another checkout; `--apart` leaves out single policies and parts of the rules. In `by-controller`, the controller starts and ends jobs.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
import uvloop

from bench.client import BenchError, Client, Request, a_client
from bench.meters import cpu_seconds, used
from bench.results import Results
from bench.writes import variants
from bench.writes.variants import CONTROLLER, DAEMON, NAMESPACE, SUBMITTER, Variant, without
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.control_plane.binaries import Component
from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.decisions import Assign
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.matching import Supply
from provisioner_operator.core.model.records import Daemon, Offer
from provisioner_operator.daemon.reporting.report import Report, Tally, status_content
from provisioner_operator.kube import paths
from provisioner_operator.kube.parsing import parse_job
from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONNECTIONS = 8
NAME = "worker"
"""The daemon to which all jobs are assigned."""
SHIPPED = Variant("shipped")
UNGUARDED = Variant("unguarded", has_policy=lambda _name: False)
BARE = Variant("bare", has_policy=lambda _name: False, ruleless=("all",))
BY_CONTROLLER = Variant("by-controller", reporter=CONTROLLER)
APART = (
    *(Variant(f"no-{name}", has_policy=without(name)) for name in ("cancel", "identity")),
    Variant("no-daemon", has_policy=without("daemon", "daemon-heartbeats")),
    Variant("no-stamps", has_policy=without("stamp-job", "untracked-daemon")),
    *(Variant(f"no-rules-of-{part}", ruleless=(part,)) for part in ("spec", "status", "root")),
)
_IDLE_SECONDS, _IDLE_SHARE = 0.3, 0.1
_CONTENT = "main.tf"
_COMPLETED = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "The run succeeded.")
_ALLOCATED = re.compile(rb"^go_memstats_alloc_bytes_total (\S+)$", re.MULTILINE)
_ANY_OFFER = Offer(frozenset(), frozenset(), 1, 300, 180)


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU time that the API server spent on a write of each kind."""

    cpu: Results = field(default_factory=Results)
    memory: Results = field(default_factory=Results)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--writes", default=150, show_default=True, help="Writes of each kind, variant and round.")
@click.option("--source", default=0, help="Bytes of each job's inline source.")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
@click.option("--apart", is_flag=True, help="Also leave out single policies and parts of the rules.")
def main(rounds: int, writes: int, source: int, against: Path | None, *, apart: bool) -> None:
    """Measure and print."""
    measured = (SHIPPED, BY_CONTROLLER, UNGUARDED, BARE, *(APART if apart else ()))
    if against is not None:
        measured = (Variant("before", against.resolve()), *measured)
    spent = Spent()
    with ControlPlane.start() as plane:
        variants.install(measured, Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for(SUBMITTER)))
        uvloop.run(_measure(plane, measured, rounds, writes, source, spent))
    names = [each.name for each in measured]
    _show(spent.cpu, names, "CPU of kube-apiserver a write, ms", digits=2)
    _show(spent.memory, names, "memory that it allocates, kB", digits=0)


async def _measure(
    plane: ControlPlane, measured: Sequence[Variant], rounds: int, writes: int, source: int, spent: Spent
) -> None:
    async with AsyncExitStack() as stack:
        clients = {
            user: await stack.enter_async_context(a_client(plane.kubeconfig_for(user))) for user in variants.ROLES
        }
        admin = await stack.enter_async_context(a_client(plane.kubeconfig))
        bench = _Bench(admin, clients, plane.identity(Component.API_SERVER).pid, writes, source, spent)
        for variant in measured:
            await register(admin, variant, writes)
            await bench.live(variant, "warm-up", counted=False)
        for number in range(rounds):
            for variant in measured:
                await bench.live(variant, f"round-{number}")


async def register(admin: Client, variant: Variant, daemons: int) -> None:
    """Create daemons."""
    bodies = [orjson.dumps(a_daemon_manifest(f"{NAME}-{number}")) for number in range(daemons)]
    requests = [Request("POST", paths.daemons(NAMESPACE), body) for body in bodies]
    await admin.send_all([variant.request(each) for each in requests], CONNECTIONS)


async def stored(admin: Client, variant: Variant, collection: str) -> list[dict[str, Any]]:
    """Return the objects of a collection as the product knows them."""
    page = await admin.ask(variant.path(collection))
    items: list[dict[str, Any]] = orjson.loads(variant.restored(orjson.dumps(page["items"]).decode()))
    return items


async def settle(pid: Mapping[str, int]) -> None:
    """Wait until the API server is idle: it still reads schemas and answers watches after the last answer to a client."""
    while True:
        before = cpu_seconds(pid)
        await asyncio.sleep(_IDLE_SECONDS)
        if used(before, cpu_seconds(pid))["server"] <= _IDLE_SHARE * _IDLE_SECONDS:
            return


def a_job(name: str, source: int = 0) -> dict[str, Any]:
    """Return a job's manifest, with this many bytes of an inline source."""
    content = {"source": {"inline": {"files": {_CONTENT: "#" * source}}}} if source else {}
    return a_job_manifest(name, workspaceRef={"name": name}, variables=[{"name": "size", "value": "2"}], **content)


async def allocated_bytes(admin: Client) -> int:
    """Return the bytes that the API server has allocated since its start, those of this answer included."""
    found = _ALLOCATED.search(await admin.read("/metrics"))
    if found is None:
        raise BenchError("The API server does not say how much memory it allocates.")
    return int(float(found[1]))


class _Bench:
    """Batches of writes, each of one kind, and the API server's CPU and memory for them."""

    def __init__(
        self, admin: Client, clients: Mapping[str, Client], pid: int, writes: int, source: int, spent: Spent
    ) -> None:
        self._admin = admin
        self._clients = clients
        self._pid = {"server": pid}
        self._writes = writes
        self._source = source
        self._spent = spent

    async def live(self, variant: Variant, prefix: str, *, counted: bool = True) -> None:
        """Send the writes of whole lives of jobs, and heartbeats."""
        counted_for = variant.name if counted else ""
        collection = paths.jobs(NAMESPACE)
        names = [f"{prefix}-{number}" for number in range(self._writes)]
        jobs = [Request.create(collection, a_job(name, self._source)) for name in names]
        await self._batch(variant, SUBMITTER, "creation", jobs, counted_for)
        for write, patch in PATCHES.items():
            user = CONTROLLER if write == "assignment" else variant.reporter
            bodies = [
                each for each in await stored(self._admin, variant, collection) if each["metadata"]["name"] in names
            ]
            await self._batch(variant, user, write, [patch(body) for body in bodies], counted_for)
        await self._admin.delete_all(variant.path(collection), "")
        daemons = await stored(self._admin, variant, paths.daemons(NAMESPACE))
        await self._batch(variant, DAEMON, "heartbeat", [heartbeat(body) for body in daemons], counted_for)

    async def _batch(
        self, variant: Variant, user: str, write: str, requests: Sequence[Request], counted_for: str
    ) -> None:
        there = [variant.request(each) for each in requests]
        reading, allocated = await allocated_bytes(self._admin), await allocated_bytes(self._admin)
        await settle(self._pid)
        before = cpu_seconds(self._pid)
        await self._clients[user].send_all(there, CONNECTIONS)
        seconds = used(before, cpu_seconds(self._pid))["server"]
        await settle(self._pid)
        # The answer with the second reading takes as much as that with the first.
        used_bytes = await allocated_bytes(self._admin) - allocated - (allocated - reading)
        if counted_for:
            self._spent.cpu.add("admission", write, counted_for, 1000 * seconds / len(there), "ms")
            self._spent.memory.add("admission", write, counted_for, used_bytes / len(there) / 1000, "kB")


def _assignment(body: Mapping[str, Any]) -> Request:
    job = parse_job(body)
    supply = Supply(NAMESPACE, frozenset(), frozenset())
    daemon = Daemon(NAMESPACE, f"{NAME}-0", "uid", 1, supply, _ANY_OFFER, lost_after=300, cancel_grace=180)
    return _status_patch(job.name, Assign(job, daemon).patch(time.time()))


def _start(body: Mapping[str, Any]) -> Request:
    job = parse_job(body)
    return _status_patch(job.name, status_writes.acknowledge(job, "instance", time.time()))


def _end(body: Mapping[str, Any]) -> Request:
    job = parse_job(body)
    return _status_patch(job.name, status_writes.finish(job, _COMPLETED, time.time()))


PATCHES = {"assignment": _assignment, "start": _start, "end": _end}
"""Writes of a job's status, in the order of its life."""


def heartbeat(body: Mapping[str, Any]) -> Request:
    """Return the heartbeat of a daemon that runs nothing."""
    daemon = ProvisionerDaemon.model_validate(body)
    content = status_content(
        Report(DaemonState.IDLE, ()),
        Tally(),
        daemon,
        instance="instance",
        lost_after_seconds=300,
        idle_heartbeat_seconds=60,
        now=time.time(),
    )
    name = daemon.metadata.name
    return Request.conditional(
        paths.daemon_status(NAMESPACE, name), JsonPatch(tests=(), sets=(("/status", content),)).operations()
    )


def _status_patch(name: str, patch: JsonPatch) -> Request:
    return Request.conditional(paths.job_status(NAMESPACE, name), patch.operations())


def _show(results: Results, names: Sequence[str], measure: str, *, digits: int) -> None:
    """Print a row for each variant, with a column for each kind of write."""
    writes = list(dict.fromkeys(row.measure for row in results))
    for of_rounds, title in (("median", measure), ("lowest", "of the best round")):
        _line(title, writes)
        for name in names:
            rows = [results.row(write, name) for write in writes]
            _line(name, [f"{getattr(row.spread, of_rounds):.{digits}f}" for row in rows if row is not None])


def _line(title: str, cells: Sequence[str]) -> None:
    print(f"{title:<36}" + "".join(f"{cell:>12}" for cell in cells), flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
