"""Streams of users have connections of their own: however many there are, reviews and short requests go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from starlette.requests import HTTPConnection

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import client as client_module
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.connect import connect_for_users
from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.web.access.authentication import TokenAuthenticator
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.reviews import Reviews

LOG, JOB, JOBS = "/pods/d1/log", "/jobs/dev-7", "/jobs"
PLACES = 2
"""Connections of each kind."""


async def review(_: web.Request) -> web.Response:
    return web.json_response({"status": {"userInfo": {"username": "ada"}}})


async def get(_: web.Request) -> web.Response:
    return web.json_response({"kind": "Thing"})


async def stay_open(request: web.Request) -> web.StreamResponse:
    """Send a line and an event in one, and nothing any more."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"type": "ADDED", "object": {}}\n')
    await asyncio.Event().wait()
    return response


@asynccontextmanager
async def users(folder: Path) -> AsyncIterator[TokenAuthenticator]:
    """Users of an API server whose streams stay open."""
    app = web.Application()
    app.router.add_post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    app.router.add_get(JOB, get)
    app.router.add_get(LOG, stay_open)
    app.router.add_get(JOBS, stay_open)
    async with TestServer(app) as server:
        address = str(server.make_url("")).rstrip("/")
        config = {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": address}}],
            "users": [{"name": "it", "user": {}}],
        }
        path = folder / "config"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        async with connect_for_users(path, user_agent="test", connections=PLACES, streams=PLACES) as connection:
            reviews = Reviews(connection.server, connection.connector, "test")
            cached = CachedReviews(reviews, lambda: 0.0)
            try:
                yield TokenAuthenticator(
                    connection,
                    cached,
                    namespaces=lambda: ["red"],
                    clock=lambda: Instant(0.0, 0.0),
                    requests=RateLimit(10_000),
                )
            finally:
                await reviews.close()


async def sign_in(access: TokenAuthenticator, token: str) -> Caller:
    return await access.caller(HTTPConnection({"type": "http", "headers": [(b"coder-session-token", token.encode())]}))


async def follow(client: KubeClient, path: str, started: asyncio.Queue[None]) -> None:
    """Read a log or a watch that stays open."""
    if path == LOG:
        async for _ in client.lines(path, {}):
            started.put_nowait(None)
    async for _ in client.watch(path, resource_version="1"):
        started.put_nowait(None)


@pytest.mark.parametrize("path", [LOG, JOBS], ids=["logs", "watches"])
def test_threat_22_streams_that_stay_open_keep_nobody_out(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "")
    monkeypatch.setattr(client_module, "STREAM_CONNECT_SECONDS", 0.2)

    async def run() -> None:
        async with users(tmp_path) as access:
            ada = await sign_in(access, "ada")
            started: asyncio.Queue[None] = asyncio.Queue()
            streams = [asyncio.create_task(follow(ada.client, path, started)) for _ in range(PLACES)]
            for _ in streams:
                await started.get()

            assert (await sign_in(access, "another")).user.name == "ada"
            assert await ada.client.get(JOB) == {"kind": "Thing"}
            with pytest.raises(UnreachableError):
                await follow(ada.client, path, started)

            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 60))
