"""Run the server: connections, index, application and HTTP, until a signal asks to stop or a task of the index ends."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from contextlib import ExitStack
from socket import socket

import aiohttp

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, POOLS, QUEUES, TEMPLATES, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.connect import connect, connect_for_users
from provisioner_operator.web import probes
from provisioner_operator.web.access.authentication import TokenAuthenticator
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.reviews import Reviews
from provisioner_operator.web.app import make_app
from provisioner_operator.web.contact import ContactClient
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.http_server import HttpServer, listen, on_signals
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.feeds import Feeds
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams
from provisioner_operator.web.telemetry.endpoint import MetricsApp
from provisioner_operator.web.telemetry.instrumentation import Instrumentation
from provisioner_operator.web.telemetry.metrics import Metrics, ServerState

_logger = logging.getLogger(__name__)

USER_AGENT = f"provisioner-web/{__version__}"


class TaskEndedError(Exception):
    """A task of the index has ended; the message says which, and why."""


def read_clocks() -> Instant:
    """Read the wall clock and the monotonic clock: the only place of the server that does."""
    return Instant(time.time(), time.monotonic())


async def serve(settings: Settings) -> None:
    """Serve the users of a cluster until a signal asks to stop. Raises LoginError, OSError, TaskEndedError."""
    async with (
        connect(settings.kubeconfig) as own,
        connect_for_users(settings.kubeconfig, user_agent=USER_AGENT) as users,
    ):
        reviews = Reviews(users.server, users.connector, USER_AGENT, users.proxy)
        try:
            index = ClusterIndex(read_clocks, settings.namespaces)
            context = WebContext(
                index=index,
                access=TokenAuthenticator(
                    users,
                    CachedReviews(reviews, lambda: read_clocks().monotonic),
                    namespaces=lambda: index.namespaces,
                    clock=read_clocks,
                    requests=RateLimit(settings.requests_per_minute),
                ),
                settings=settings,
                clock=read_clocks,
                streams=Streams(read_clocks, settings.streams_per_user),
            )
            await serve_context(context, own_client(own.session, own.server))
        finally:
            await reviews.close()


def own_client(session: aiohttp.ClientSession, server: str) -> ContactClient:
    """Return the client that reads for the index."""
    return ContactClient(session, server, lambda: read_clocks().monotonic)


async def serve_context(
    context: WebContext, client: ContactClient, on_listening: Callable[[WebContext, int], None] | None = None
) -> None:
    """Fill the index by the server's own client, and serve requests. Raises OSError, TaskEndedError.

    Args:
        context: What the routes use.
        client: The client that reads for the index.
        on_listening: Called with the port.
    """
    context.index.measure_contact(client.stale_seconds)
    with ExitStack() as listeners:
        listener = listeners.enter_context(_listen(context.settings, context.settings.http_port))
        app, ports = make_app(context), {"port": _port(listener)}
        observed: list[tuple[HttpServer, socket]] = []
        if context.settings.metrics_port is not None:
            scraped = listeners.enter_context(_listen(context.settings, context.settings.metrics_port))
            ports["metrics_port"] = _port(scraped)
            metrics = _metrics(context)
            app = Instrumentation(app, metrics, lambda: read_clocks().monotonic)
            observed.append((HttpServer(_metrics_app(context, metrics)), scraped))
        _logger.info("Listening on port %d", ports["port"], extra=ports)
        if on_listening is not None:
            on_listening(context, ports["port"])
        servers = [(HttpServer(app, context.streams.close), listener), *observed]
        await _run(servers, Feeds(context.index, client, context.settings.namespaces))


async def _run(servers: Sequence[tuple[HttpServer, socket]], feeds: Feeds) -> None:
    def stop() -> None:
        for server, _ in servers:
            server.stop()

    serving = [asyncio.create_task(server.run_on(listener)) for server, listener in servers]
    feeding = [asyncio.create_task(work, name=name) for name, work in feeds.tasks()]
    try:
        with on_signals(stop):
            await asyncio.wait((*serving, *feeding), return_when=asyncio.FIRST_COMPLETED)
            stop()
            await asyncio.gather(*serving)
        # After the answers under way: an index that stands still is better than none.
        _raise_ended(feeding)
    finally:
        for task in feeding:
            task.cancel()
        await asyncio.gather(*feeding, return_exceptions=True)


def _listen(settings: Settings, port: int) -> socket:
    return listen(settings.http_host, port)


def _port(listener: socket) -> int:
    return int(listener.getsockname()[1])


def _metrics(context: WebContext) -> Metrics:
    index = context.index

    def state() -> ServerState:
        kinds: Mapping[str, Sized] = {
            JOBS: index.jobs,
            DAEMONS: index.daemons,
            POOLS: index.pools,
            QUEUES: index.queues,
            WORKSPACES: index.workspaces,
            TEMPLATES: index.templates,
        }
        return ServerState(
            objects={plural: len(objects) for plural, objects in kinds.items()},
            is_ready=index.is_ready,
            stale_seconds=index.stale_seconds,
            streams=context.streams.count,
        )

    return Metrics(state)


def _metrics_app(context: WebContext, metrics: Metrics) -> MetricsApp:
    return MetricsApp(metrics.registry, {"/healthz": probes.alive, "/readyz": lambda: probes.ready(context.index)})


def _raise_ended(feeding: Iterable[asyncio.Task[None]]) -> None:
    """Raise the error of a task that has ended: the server must not go on with an index that stands still."""
    for task in feeding:
        if task.done():
            error = task.exception()
            message = f"The task {task.get_name()!r} has ended ({error!r}); the server has to start anew"
            raise TaskEndedError(message) from error
