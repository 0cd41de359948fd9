"""The web server under load: many live pages while jobs change. A control plane and a server of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.web_load --viewers 500 --changes 100 --seconds 120

Viewers have pages of several organizations and queries open as streams; a probe loads pages at the same time. Prints the
latency of pages, the events that viewers received, and the server's memory and CPU. One program generates the load and
another is measured, on the same machine: compare only with runs on the same one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import click
import psutil
import uvloop

from bench.statistics import percentile
from provisioner_devcluster import ControlPlane
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths
from provisioner_operator.kube.connect import connect
from support.builders.manifests import a_job_manifest, role_binding
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner_operator.kube.client import KubeClient

USERS = 40
"""Each may have 16 streams."""
NAMESPACES = ("red", "green", "blue")
QUERIES = ("", "?status=pending", "?q=job-1", "?size=25")
JOBS_PER_NAMESPACE = 1_000
PROBES_A_SECOND = 10
STARTED_WITHIN = 60.0
BEGIN_WRITES = 32
"""Connections that write; more would measure the API server."""


@dataclass(slots=True)
class Tally:
    """Observations of one run."""

    pages: list[float] = field(default_factory=list)
    """Seconds that a page took, until its last byte."""
    events: int = 0
    event_bytes: int = 0
    ended: int = 0
    """Streams that ended before the run."""
    refused: int = 0
    changes: int = 0
    memory: list[int] = field(default_factory=list)
    """Bytes of the server at each second."""


@click.command()
@click.option("--viewers", default=500, show_default=True)
@click.option("--changes", default=100, show_default=True, help="Changes of jobs a second.")
@click.option("--seconds", default=120, show_default=True)
def main(viewers: int, changes: int, seconds: int) -> None:
    """Run the load and print what was measured."""
    users = [f"user-{number}" for number in range(USERS)]
    with ControlPlane.start(tokens=users) as plane:
        admin = Kubectl(plane.kubeconfig)
        install(admin, Kubectl(plane.kubeconfig_for("prober")))
        _fill(admin, users)
        with _server(plane.kubeconfig) as (url, process):
            tokens = [plane.token_of(user) for user in users]
            tally = uvloop.run(_load(url, tokens, plane.kubeconfig, process, viewers, changes, seconds))
            used = process.cpu_times()
    _report(tally, seconds, used.user + used.system)


def _fill(admin: Kubectl, users: list[str]) -> None:
    for namespace in NAMESPACES:
        admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for user in users:
            admin.create(role_binding(user, "provisioner-viewer", namespace=namespace))
        scoped = admin.within(namespace)
        scoped.create_all(
            a_job_manifest(f"job-{number}", workspaceRef={"name": f"ws-{number}"}, tags={"pool": str(number % 20)})
            for number in range(JOBS_PER_NAMESPACE)
        )


@contextmanager
def _server(kubeconfig: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run the server, and yield its URL and its process."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PROVISIONER_WEB_")}
    environment["PROVISIONER_WEB_REQUESTS_PER_MINUTE"] = "100000"
    command = [sys.executable, "-m", "provisioner_operator.web", "run", "--kubeconfig", str(kubeconfig)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*command, "--http-host", "127.0.0.1", "--http-port", "0", "--metrics-port", "0"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            yield f"http://127.0.0.1:{_port_in(Path(f'/proc/self/fd/{log.fileno()}'))}", psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(STARTED_WITHIN)


def _port_in(log: Path) -> int:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"port"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.1)
    raise click.ClickException(f"The server did not listen within {STARTED_WITHIN:.0f} s:\n{log.read_text()}")


async def _load(
    url: str, tokens: list[str], kubeconfig: Path, process: psutil.Process, viewers: int, changes: int, seconds: int
) -> Tally:
    tally = Tally()
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=1 << 20) as session,
        connect(kubeconfig, connections=BEGIN_WRITES) as own,
    ):
        await _await_ready(session, url)
        pages = [
            f"{url}/organizations/{namespace}/provisioner-jobs{query}" for namespace in NAMESPACES for query in QUERIES
        ]
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(_view(session, pages[number % len(pages)], tokens[number % len(tokens)], tally))
                for number in range(viewers)
            ]
            running.append(tasks.create_task(_change(own.client, changes, tally)))
            running.append(tasks.create_task(_probe(session, pages, tokens, tally)))
            for _ in range(seconds):
                await asyncio.sleep(1)
                tally.memory.append(process.memory_info().rss)
            for task in running:
                task.cancel()
    return tally


async def _await_ready(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        async with session.get(f"{url}/readyz") as response:
            if response.ok:
                return
        await asyncio.sleep(0.1)


async def _view(session: aiohttp.ClientSession, page: str, token: str, tally: Tally) -> None:
    """Keep one page open."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with session.get(page, headers=headers) as response:
        if not response.ok:
            tally.refused += 1
            return
        async for line in response.content:
            tally.event_bytes += len(line)
            tally.events += line.startswith(b"event: view")
    tally.ended += 1


async def _change(client: KubeClient, a_second: int, tally: Tally) -> None:
    """Change priorities of jobs, evenly over the time."""
    began = time.monotonic()
    places = asyncio.Semaphore(BEGIN_WRITES)

    async def change(number: int) -> None:
        async with places:
            namespace = NAMESPACES[number % len(NAMESPACES)]
            job = paths.job(namespace, f"job-{number // len(NAMESPACES) % JOBS_PER_NAMESPACE}")
            await client.json_patch(job, JsonPatch(tests=(), sets=(("/spec/priority", number),)))
            tally.changes += 1

    async with asyncio.TaskGroup() as writes:
        number = 0
        while True:
            due = began + number / a_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writes.create_task(change(number))
            number += 1


async def _probe(session: aiohttp.ClientSession, pages: list[str], tokens: list[str], tally: Tally) -> None:
    """Load pages, each on a new schedule so that a slow one delays no other."""

    async def load(number: int) -> None:
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
        async with session.get(pages[number % len(pages)], headers=headers) as response:
            await response.read()
        tally.pages.append(time.monotonic() - began)
        if not response.ok:
            tally.refused += 1

    async with asyncio.TaskGroup() as loads:
        number = 0
        while True:
            loads.create_task(load(number))
            number += 1
            await asyncio.sleep(1 / PROBES_A_SECOND)


def _report(tally: Tally, seconds: int, cpu: float) -> None:
    if not tally.pages:
        raise click.ClickException("No page was loaded in that time: the server cannot bear the load.")
    third = max(1, len(tally.memory) // 3)
    early, late = max(tally.memory[third : 2 * third]), max(tally.memory[-third:])
    milliseconds = sorted(1000 * each for each in tally.pages)
    for name, value in (
        ("pages loaded", f"{len(milliseconds)}"),
        ("page, p50", f"{percentile(milliseconds, 0.5):.1f} ms"),
        ("page, p99", f"{percentile(milliseconds, 0.99):.1f} ms"),
        ("changes of jobs a second", f"{tally.changes / seconds:.1f}"),
        ("events to viewers a second", f"{tally.events / seconds:.1f}"),
        ("bytes to viewers a second", f"{tally.event_bytes / seconds:,.0f}"),
        ("streams that ended early", f"{tally.ended}"),
        ("requests refused", f"{tally.refused}"),
        ("memory of the server, middle third / last third", f"{early / 1e6:.0f} / {late / 1e6:.0f} MB"),
        ("CPU of the server", f"{100 * cpu / seconds:.0f} % of a core"),
    ):
        print(f"{name:<50} {value:>20}", flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
