"""The web server under load: many live pages while jobs change. A control plane and a server of its own.

    PYTHONPATH=.:tests:operator:devcluster .venv/bin/python -m bench.web_load --viewers 500 --changes 100 --seconds 120

Viewers have pages of several organizations and queries open as streams, in a process of their own. Once each of them has
its page, jobs begin to change, and a probe loads pages. Prints the latency of pages, the events that viewers received, and
the server's memory and CPU. The load, the API server and the server that is measured share the machine: compare only with
runs on the same one.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from provisioner_operator.kube.client import KubeClient

USERS = 40
"""Each may have 16 streams."""
NAMESPACES = ("red", "green", "blue")
QUERIES = ("", "?status=pending", "?q=job-1", "?size=25")
JOBS_PER_NAMESPACE = 1_000
PROBES_A_SECOND = 10
STARTED_WITHIN = 60.0
OPENED_WITHIN = 120.0
EVENT = b"event: view"
WRITE_CONNECTIONS = 32
"""Connections that write; more would measure the API server."""


@dataclass(slots=True)
class Viewed:
    """Observations of the viewers."""

    live: int = 0
    """Viewers who have received their page."""
    refused: int = 0
    ended: int = 0
    """Streams that ended before the run."""
    events: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Tally:
    """Observations of one run."""

    opening: float = 0.0
    """Seconds until all viewers had their pages."""
    pages: list[float] = field(default_factory=list)
    """Seconds that a page took, until its last byte."""
    refused: int = 0
    changes: int = 0
    memory: list[int] = field(default_factory=list)
    """Bytes of the server at each second."""
    cpu: float = 0.0
    """Seconds of the server."""
    viewed: Viewed = field(default_factory=Viewed)


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
            tally = Tally()
            with _viewing(url, tokens, viewers, tally) as count:
                began = count()
                before = process.cpu_times()
                uvloop.run(_load(url, tokens, plane.kubeconfig, process, changes, seconds, tally))
                after = process.cpu_times()
                ended = count()
    tally.cpu = after.user + after.system - before.user - before.system
    tally.viewed = replace(ended, events=ended.events - began.events, bytes=ended.bytes - began.bytes)
    _report(tally, seconds)


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


def _pages(url: str) -> list[str]:
    return [f"{url}/organizations/{namespace}/provisioner-jobs{query}" for namespace in NAMESPACES for query in QUERIES]


@contextmanager
def _viewing(url: str, tokens: list[str], viewers: int, tally: Tally) -> Iterator[Callable[[], Viewed]]:
    """Keep pages open, and yield a function that tells what their viewers observed so far."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_view_all, args=(url, tokens, viewers, there), daemon=True)
    process.start()

    def count() -> Viewed:
        here.send(None)
        viewed: Viewed = here.recv()
        return viewed

    try:
        began = time.monotonic()
        while (viewed := count()).live + viewed.refused + viewed.ended < viewers:
            if time.monotonic() - began > OPENED_WITHIN:
                raise click.ClickException(
                    f"After {OPENED_WITHIN:.0f} s only {viewed.live} of {viewers} viewers had their page."
                )
            time.sleep(0.1)
        tally.opening = time.monotonic() - began
        yield count
    finally:
        process.terminate()
        process.join(STARTED_WITHIN)


def _view_all(url: str, tokens: list[str], viewers: int, asked: Connection) -> None:
    uvloop.run(_keep_open(url, tokens, viewers, asked))


async def _keep_open(url: str, tokens: list[str], viewers: int, asked: Connection) -> None:
    viewed, pages = Viewed(), _pages(url)

    def answer() -> None:
        asked.recv()
        asked.send(viewed)

    asyncio.get_running_loop().add_reader(asked.fileno(), answer)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        await _await_ready(session, url)
        async with asyncio.TaskGroup() as tasks:
            for number in range(viewers):
                tasks.create_task(_view(session, pages[number % len(pages)], tokens[number % len(tokens)], viewed))


async def _load(
    url: str, tokens: list[str], kubeconfig: Path, process: psutil.Process, changes: int, seconds: int, tally: Tally
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        connect(kubeconfig, connections=WRITE_CONNECTIONS) as own,
        asyncio.TaskGroup() as tasks,
    ):
        running = [
            tasks.create_task(_change(own.client, changes, tally)),
            tasks.create_task(_probe(session, _pages(url), tokens, tally)),
        ]
        for _ in range(seconds):
            await asyncio.sleep(1)
            tally.memory.append(process.memory_info().rss)
        for task in running:
            task.cancel()


async def _await_ready(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        async with session.get(f"{url}/readyz") as response:
            if response.ok:
                return
        await asyncio.sleep(0.1)


async def _view(session: aiohttp.ClientSession, page: str, token: str, viewed: Viewed) -> None:
    """Keep one page open."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with session.get(page, headers=headers) as response:
        if not response.ok:
            viewed.refused += 1
            return
        rest, is_live = b"", False
        async for chunk in response.content.iter_any():
            viewed.bytes += len(chunk)
            # The line may be cut by the end of a chunk.
            *events, rest = (rest + chunk).split(EVENT)
            rest = rest[1 - len(EVENT) :]
            viewed.events += len(events)
            viewed.live += bool(events) and not is_live
            is_live |= bool(events)
    viewed.ended += 1
    viewed.live -= is_live


async def _change(client: KubeClient, a_second: int, tally: Tally) -> None:
    """Change priorities of jobs, evenly over the time."""
    began = time.monotonic()
    places = asyncio.Semaphore(WRITE_CONNECTIONS)

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


def _report(tally: Tally, seconds: int) -> None:
    if not tally.pages:
        raise click.ClickException("No page was loaded in that time: the server cannot bear the load.")
    third = max(1, len(tally.memory) // 3)
    early, late = max(tally.memory[third : 2 * third]), max(tally.memory[-third:])
    milliseconds = sorted(1000 * each for each in tally.pages)
    for name, value in (
        ("seconds until all viewers had their pages", f"{tally.opening:.1f}"),
        ("pages loaded", f"{len(milliseconds)}"),
        ("page, p50", f"{percentile(milliseconds, 0.5):.1f} ms"),
        ("page, p99", f"{percentile(milliseconds, 0.99):.1f} ms"),
        ("changes of jobs a second", f"{tally.changes / seconds:.1f}"),
        ("events to viewers a second", f"{tally.viewed.events / seconds:.1f}"),
        ("bytes to viewers a second", f"{tally.viewed.bytes / seconds:,.0f}"),
        ("streams that ended early", f"{tally.viewed.ended}"),
        ("requests refused", f"{tally.refused + tally.viewed.refused}"),
        ("memory of the server, middle third / last third", f"{early / 1e6:.0f} / {late / 1e6:.0f} MB"),
        ("CPU of the server", f"{100 * tally.cpu / seconds:.0f} % of a core"),
    ):
        print(f"{name:<50} {value:>20}", flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
