"""The controller's own HTTP endpoints: probes and metrics. They are read-only and show no secrets."""

import asyncio
import socket
from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from typing_extensions import override

Check = Callable[[], str | None]
"""Returns the problem, or None if there is none."""


class _Collected(Collector):
    """Metrics that were collected before."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    @override
    def collect(self) -> Iterable[Metric]:
        return self._families


def application(registry: CollectorRegistry, *, started: Check, alive: Check, ready: Check) -> web.Application:
    """Build the web application that serves /startupz, /healthz, /readyz and /metrics."""

    def answer(check: Check) -> Callable[[web.Request], object]:
        async def handler(_: web.Request) -> web.Response:
            problem = check()
            return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

        return handler

    async def metrics(_: web.Request) -> web.Response:
        # Collected at once, from what only the loop may change, and formatted beside it: the larger part of the work.
        collected = _Collected(tuple(registry.collect()))
        body = await asyncio.to_thread(generate_latest, collected)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get("/startupz", answer(started))  # type: ignore[arg-type]
    app.router.add_get("/healthz", answer(alive))  # type: ignore[arg-type]
    app.router.add_get("/readyz", answer(ready))  # type: ignore[arg-type]
    app.router.add_get("/metrics", metrics)
    return app


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve an application; returns the runner, to be cleaned up, and the port. Raises OSError if the port is taken.

    Args:
        app: The application.
        host: The address to listen on; if empty, every address of IPv4 and IPv6, as a cluster may have only one of them.
        port: The port; any free one if 0.
    """
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port) if host else web.SockSite(runner, _listen_everywhere(port))
    await site.start()
    return runner, int(runner.addresses[0][1])


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
