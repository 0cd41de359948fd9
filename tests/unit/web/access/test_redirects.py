"""No credential follows a redirect to another host, whichever way it comes into the request."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from provisioner_operator.kube import connect as connect_module
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.connect import connect, connect_for_users
from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.kube.logins.login import Login, Server
from provisioner_operator.web.access.local_kubeconfig import connect_locally
from provisioner_operator.web.access.reviews import Reviews

SECRET = {"Authorization": "Bearer secret"}


@asynccontextmanager
async def redirecting(received: list[str | None]) -> AsyncIterator[str]:
    """A server that sends every request to another host, which notes the credentials that arrive."""

    async def elsewhere(request: web.Request) -> web.Response:
        received.append(request.headers.get("Authorization"))
        return web.json_response({"status": {"allowed": True, "userInfo": {"username": "ada"}}})

    other = web.Application()
    other.router.add_route("*", "/{path:.*}", elsewhere)
    async with TestServer(other, host="127.0.0.2") as target:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(str(target.make_url(request.path)))

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", redirect)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")


def a_kubeconfig(folder: Path, server: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {"token": "secret"}}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


async def read_all(client: KubeClient) -> None:
    """Send a request of each kind, all of which fail."""
    with pytest.raises(UnreachableError, match="redirected"):
        await client.get("/things")
    with pytest.raises(UnreachableError, match="redirected"):
        await anext(client.watch("/things", resource_version="1"))
    with pytest.raises(UnreachableError, match="redirected"):
        await anext(client.lines("/log", {}))


async def as_server(kubeconfig: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of a Pod, whose token is read from a file."""
    token = kubeconfig.parent / "token"
    token.write_text("secret", encoding="utf-8")
    login = Login(Server(server), token_file=token)
    monkeypatch.setattr(connect_module, "find_login", lambda *_: login)
    async with connect() as connection:
        await read_all(connection.client)
        async with connection.another_session() as further:
            with pytest.raises(aiohttp.ClientError, match="redirected"):
                await further.get(f"{server}/things")


async def as_user(kubeconfig: Path, server: str, _: Any) -> None:
    """A user's token, with the session of all users and with that of reviews."""
    async with connect_for_users(kubeconfig, user_agent="test") as connection:
        await read_all(KubeClient(connection.session, server, SECRET, streams=connection.streams))
        reviews = Reviews(server, connection.connector, "test")
        try:
            with pytest.raises(UnreachableError, match="redirected"):
                await reviews.user(SECRET)
        finally:
            await reviews.close()


async def as_local_user(kubeconfig: Path, server: str, _: Any) -> None:
    """The user of a kubeconfig."""
    async with connect_locally(str(kubeconfig), None, user_agent="test") as connection:
        assert isinstance(connection.session.cookie_jar, aiohttp.DummyCookieJar)
        await read_all(KubeClient(connection.session, server))


@pytest.mark.parametrize("act", [as_server, as_user, as_local_user])
def test_threat_19_no_credential_follows_a_redirect(
    act: Callable[[Path, str, pytest.MonkeyPatch], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", os.devnull)
    received: list[str | None] = []

    async def run() -> None:
        async with redirecting(received) as server:
            await act(a_kubeconfig(tmp_path, server), server, monkeypatch)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert received == []
