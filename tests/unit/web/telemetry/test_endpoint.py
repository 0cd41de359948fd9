"""The port of the metrics has these and the probes, and nothing else."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.responses import PlainTextResponse
from starlette.types import Message

from provisioner_operator.web.telemetry.endpoint import MetricsApp


def an_app() -> MetricsApp:
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc()
    return MetricsApp(registry, {"/healthz": lambda: PlainTextResponse("ok")})


def get(path: str) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(an_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return asyncio.run(run())


def test_the_metrics_are_there() -> None:
    answer = get("/metrics")

    assert answer.status_code == 200
    assert "things_total 1.0" in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_further_path_has_its_answer_and_no_other_is_there() -> None:
    assert get("/healthz").text == "ok"
    assert get("/").status_code == 404


@pytest.mark.parametrize("path", ["/metrics", "/api/v2/workspacebuilds/1/logs"])
def test_a_websocket_is_refused(path: str) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(an_app()({"type": "websocket", "path": path}, receive, send))

    assert [message["type"] for message in sent] == ["websocket.close"]
