"""Requests are counted by the pattern of their route, and timed to the first byte of the answer."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse

from provisioner_operator.web.telemetry.instrumentation import Instrumentation
from provisioner_operator.web.telemetry.metrics import Metrics, ServerState
from support.manifests import REPOSITORY


def state() -> ServerState:
    return ServerState(objects={"provisionerjobs": 3}, is_ready=True, stale_seconds=1.5, streams=2)


class Clock:
    """Advances by one second with each look."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1
        return self.at


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(state)


def application(metrics: Metrics) -> Instrumentation:
    app = FastAPI(openapi_url=None)

    @app.get("/jobs/{name}")
    async def job(name: str) -> PlainTextResponse:
        return PlainTextResponse(name)

    @app.get("/fails")
    async def fails(_: Request) -> PlainTextResponse:
        raise RuntimeError

    @app.get("/streams")
    async def streams() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "first"
            yield "last"

        return StreamingResponse(lines())

    return Instrumentation(app, metrics, Clock())


def ask(metrics: Metrics, *requests: tuple[str, str]) -> None:
    async def run() -> None:
        transport = httpx.ASGITransport(application(metrics), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for method, path in requests:
                await client.request(method, path)

    asyncio.run(run())


def counted(metrics: Metrics, route: str, method: str, code: str) -> float | None:
    return metrics.registry.get_sample_value(
        "provisioner_web_requests_total", {"route": route, "method": method, "code": code}
    )


def test_requests_are_counted_by_the_pattern_of_their_route(metrics: Metrics) -> None:
    ask(metrics, ("GET", "/jobs/a"), ("GET", "/jobs/b"), ("POST", "/jobs/a"))
    assert counted(metrics, "/jobs/{name}", "GET", "200") == 2
    assert counted(metrics, "/jobs/{name}", "POST", "405") == 1


def test_neither_a_path_without_route_nor_an_odd_method_becomes_a_label(metrics: Metrics) -> None:
    ask(metrics, ("GET", "/secret-of-sam"), ("BREW", "/jobs/a"))
    assert counted(metrics, "none", "GET", "404") == 1
    text = generate_latest(metrics.registry).decode()
    assert "secret-of-sam" not in text
    assert "BREW" not in text


def test_a_request_that_fails_counts_as_an_error_of_the_server(metrics: Metrics) -> None:
    ask(metrics, ("GET", "/fails"))
    assert counted(metrics, "/fails", "GET", "500") == 1


def test_the_time_of_a_stream_ends_with_its_first_byte(metrics: Metrics) -> None:
    ask(metrics, ("GET", "/streams"))
    assert metrics.registry.get_sample_value("provisioner_web_request_seconds_sum", {"route": "/streams"}) == 1


def test_the_gauges_show_the_server_as_it_is(metrics: Metrics) -> None:
    value = metrics.registry.get_sample_value
    assert value("provisioner_web_index_objects", {"kind": "provisionerjobs"}) == 3
    assert value("provisioner_web_index_ready") == 1
    assert value("provisioner_web_index_stale_seconds") == 1.5
    assert value("provisioner_web_streams") == 2


def test_the_page_for_users_lists_each_metric_with_its_labels(metrics: Metrics) -> None:
    ask(metrics, ("GET", "/jobs/a"))
    page = (REPOSITORY / "docs" / "web.md").read_text(encoding="utf-8")
    documented = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(r"^\| `(provisioner_web_\w+)` \|([^|]*)\|", page, re.MULTILINE)
    }
    exported = {
        f"{family.name}{'_total' if family.type == 'counter' else ''}": {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in metrics.registry.collect()
    }
    assert documented == exported
