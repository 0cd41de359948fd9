"""The controller's endpoints, over real sockets."""

import asyncio
import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from provisioner_operator.controller.telemetry.endpoints import application, serve


async def status_of(host: str, path: str) -> int:
    app = application(CollectorRegistry(), started=lambda: None, alive=lambda: None, ready=lambda: "not yet")
    runner, port = await serve(app, "", 0)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}{path}") as response:
            return response.status
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 503), ("/metrics", 200)])
def test_probes_are_answered_on_both_families(host: str, path: str, status: int) -> None:
    if host == "[::1]" and not has_ipv6():
        pytest.skip("this machine has no IPv6")

    assert asyncio.run(status_of(host, path)) == status


def has_ipv6() -> bool:
    """Return whether this machine has the loopback address of IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True
