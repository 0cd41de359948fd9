"""The metrics have a port of their own, on which nothing else is served."""

import asyncio

import httpx
from prometheus_client import CollectorRegistry, Counter
from starlette.responses import PlainTextResponse

from provisioner_operator.web.telemetry.endpoint import MetricsPort

PAGE, METRICS = 8080, 8081


def get(port: int, path: str) -> httpx.Response:
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc()
    app = MetricsPort(PlainTextResponse("the page"), registry, METRICS)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
            return await client.get(path)

    return asyncio.run(run())


def test_the_metrics_are_on_their_own_port() -> None:
    answer = get(METRICS, "/metrics")

    assert answer.status_code == 200
    assert "things_total 1.0" in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_the_page_is_not_on_the_port_of_the_metrics_nor_they_on_its() -> None:
    assert get(METRICS, "/").status_code == 404
    assert get(PAGE, "/metrics").text == "the page"
