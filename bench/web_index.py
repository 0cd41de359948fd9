"""Measure the web server's index: `python -m bench.web_index --pending 10000`.

Fills an index with jobs as the API server sends them, page by page, then asks it what the routes ask. No API server takes
part: the time that it needs for the lists comes on top. Times are CPU time: this process waits for nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from functools import partial
from typing import TYPE_CHECKING

import click
import orjson
import psutil

import provisioner_operator.web.server  # noqa: F401 - so that the memory is that of the whole program
from bench.web_jobs import Population
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.views.wait_estimate import estimates_in
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.memory import trim
from provisioner_operator.web.index.query import Cursor, JobQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from provisioner_operator.web.index.rows import JobRow

_REPEATS = 50
_LIMIT = 50


@click.command()
@click.option("--jobs", default=100_000, show_default=True)
@click.option("--pending", default=10_000, show_default=True, help="How many of them are pending.")
@click.option("--daemons", default=1_000, show_default=True)
@click.option("--namespaces", default=20, show_default=True)
def main(jobs: int, pending: int, daemons: int, namespaces: int) -> None:
    """Load an index, and time its answers and changes."""
    population = Population(jobs, pending, daemons, namespaces)
    before = _resident()
    index = ClusterIndex(lambda: Instant(population.now, time.monotonic()))
    _load(index, population)
    click.echo(f"resident: {before:.0f} MB before, {_resident():.0f} MB after loading")
    _ask(index, population)
    _list_again(index, population)
    _change(index, population)
    trim()  # as the server does each minute
    click.echo(f"resident: {_resident():.0f} MB at the end")
    began = time.process_time()
    index.start_over()
    click.echo(f"to forget everything: {(time.process_time() - began) * 1e3:.0f} ms")


def _load(index: ClusterIndex, population: Population) -> None:
    context = multiprocessing.get_context("spawn")
    # Pages are made by another process, which leaves no trace in the memory of this one.
    receiving, sending = context.Pipe(duplex=False)
    writer = context.Process(target=_send, args=(population, sending), daemon=True)
    writer.start()
    decoding = applying = 0.0
    while page := receiving.recv_bytes():
        times = _take(index, page)
        decoding, applying = decoding + times[0], applying + times[1]
    writer.join()
    index.complete()
    trim()
    click.echo(f"load: {decoding:.2f} s to decode JSON, {applying:.2f} s to parse and index")


def _take(index: ClusterIndex, page: bytes) -> tuple[float, float]:
    """Index a page, and return the seconds that decoding it and the rest took."""
    start = time.process_time()
    content = orjson.loads(page)
    decoded = time.process_time()
    for body in content["items"]:
        index.put(content["plural"], body)
    return decoded - start, time.process_time() - decoded


def _send(population: Population, connection: Connection) -> None:
    for plural, pages in ((DAEMONS, population.daemon_pages()), (JOBS, population.job_pages())):
        for page in pages:
            connection.send_bytes(b'{"plural":"%s","items":%s}' % (plural.encode(), page))
    connection.send_bytes(b"")


def _ask(index: ClusterIndex, population: Population) -> None:
    everywhere = population.namespaces
    few = everywhere[:3]
    middle = Cursor(population.middle, "")
    pending = index.jobs.page(JobQuery(phases=frozenset({Phase.PENDING})), everywhere, 1000).rows
    last = pending[0]
    _time("first page", lambda: index.jobs.page(JobQuery(), everywhere, _LIMIT))
    _time("page in the middle", lambda: index.jobs.page(JobQuery(before=middle), everywhere, _LIMIT))
    _time("page of pending jobs of 3 namespaces", lambda: _pending_page(index, few))
    _time("stuck jobs", lambda: index.jobs.page_and_counts(JobQuery(stuck=True), everywhere, _LIMIT))
    for text in ("ws-1234", "template-7", "user-1", "e", "a1b2c3", "template-7 user-1", "ws", "zzz"):
        search = JobQuery(text=text)
        _time(f"search {text!r}", partial(index.jobs.page_and_counts, search, everywhere, _LIMIT))
    _time("counts", lambda: index.jobs.counts(everywhere))
    _time("place", lambda: index.queue.place(last.job.uid))
    _time("50 places and reasons", lambda: _describe(index, pending[:_LIMIT]))
    _time("explain", lambda: index.queue.explain(last.job))
    _time("fits", lambda: index.queue.fits(last.job))
    _time("estimates of a namespace", lambda: estimates_in(index.queue.live, last.job.namespace, index.queue.history))
    _time("jobs of a workspace", lambda: index.jobs.of_workspace(last.job.namespace, last.job.workspace or ""))


def _list_again(index: ClusterIndex, population: Population) -> None:
    """Time what a repeated list costs in which nothing is new."""
    _time("known versions of all jobs", lambda: index.versions(JOBS))
    page = orjson.loads(next(population.job_pages()))

    def list_page() -> None:
        for body in page:
            index.put(JOBS, body)

    _time(f"page of {len(page)} known jobs", list_page)


def _pending_page(index: ClusterIndex, namespaces: list[str]) -> object:
    return index.jobs.page(JobQuery(phases=frozenset({Phase.PENDING})), namespaces, _LIMIT)


def _describe(index: ClusterIndex, rows: Sequence[JobRow]) -> list[object]:
    return [(index.queue.place(row.job.uid), index.queue.reason(row.job)) for row in rows]


def _change(index: ClusterIndex, population: Population) -> None:
    heartbeats = iter(population.heartbeats())
    _time("heartbeat", lambda: index.put(DAEMONS, next(heartbeats)))
    fresh = iter(population.new_jobs())
    _time("new job", lambda: index.put(JOBS, next(fresh)))
    started = iter(population.started_jobs())
    _time("job that starts", lambda: index.put(JOBS, next(started)))
    started = iter(population.started_jobs())

    def start_and_explain() -> None:
        body = next(started)
        index.put(JOBS, body)
        row = index.jobs.get(body["metadata"]["uid"])
        if row is not None:
            index.queue.live.explain(row.job.demand)

    _time("job that starts, and an explanation", start_and_explain)
    ended = iter(population.ended_jobs())
    _time("job that ends", lambda: index.put(JOBS, next(ended)))


def _time(what: str, work: Callable[[], object]) -> None:
    times = []
    for _ in range(_REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    first, times = times[0], sorted(times)
    click.echo(f"{what}: {times[_REPEATS // 2] * 1e3:.3f} ms (longest {times[-1] * 1e3:.3f}, first {first * 1e3:.3f})")


def _resident() -> float:
    resident: int = psutil.Process().memory_info().rss
    return resident / 1e6


if __name__ == "__main__":
    main()
