"""A process stays logged in at a real TLS server: through a proxy, by a plugin, by files that are replaced."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from provisioner_devcluster.control_plane.certificates import Authority, KeyPair
from provisioner_operator.kube.connect import connect, connect_for_users
from provisioner_operator.kube.errors import ForbiddenError
from provisioner_operator.kube.logins import credential
from support.programs.connect_proxy import serving_proxy

User = dict[str, Any]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("it", tmp_path_factory.mktemp("authority") / "it")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at files for each request, as after a minute."""
    monkeypatch.setattr(credential, "REREAD_SECONDS", 0.0)
    monkeypatch.setattr(credential, "REFUSAL_PAUSE_SECONDS", 0.0)


class Server:
    """Answers what it saw of the user; 401 to everybody whom it does not accept."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        self.accepts = accepts
        self.url = ""
        self.seen: list[str] = []
        self._connections: set[asyncio.BaseTransport] = set()

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self._connections.add(request.transport)
        certificate = request.get_extra_info("peercert")
        name = dict(pair for [pair] in certificate["subject"])["commonName"] if certificate else ""
        user = request.headers.get("Authorization", "").removeprefix("Bearer ") or name
        self.seen.append(user)
        if not self.accepts(user):
            return web.json_response({"message": "Unauthorized"}, status=401)
        return web.json_response({"user": user})

    def abort(self) -> None:
        """End all connections at once: to end their TLS, they would wait for the other side."""
        for connection in self._connections:
            assert isinstance(connection, asyncio.WriteTransport)
            connection.abort()


@asynccontextmanager
async def serving(authority: Authority, accepts: Callable[[str], bool]) -> AsyncIterator[Server]:
    pair = authority.issue("server", "server", addresses=["127.0.0.1"])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.pair.certificate))
    tls.load_cert_chain(pair.certificate, pair.key)
    tls.verify_mode = ssl.CERT_OPTIONAL
    server = Server(accepts)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
        server.abort()


def a_kubeconfig(folder: Path, server: Server, authority: Authority, user: User, **cluster: str) -> Path:
    (folder / "ca.crt").write_bytes(authority.pair.certificate.read_bytes())
    document = {
        "clusters": [
            {"name": "it", "cluster": {"server": server.url, "certificate-authority": "ca.crt", **cluster}},
        ],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(document))
    return path


def a_plugin(folder: Path, **status: str) -> User:
    """Write a plugin beside the kubeconfig, which notes its runs."""
    answer(folder, **status)
    script = folder / "login"
    script.write_text('#!/bin/sh\ncd "${0%/*}" && echo ran >> runs && cat answer\n')
    script.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never"}}


def answer(folder: Path, **status: str) -> None:
    (folder / "answer").write_text(json.dumps({"kind": "ExecCredential", "status": status}))


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def test_a_plugin_gives_the_token_and_another_one_when_that_is_refused(tmp_path: Path, authority: Authority) -> None:
    async def run() -> None:
        async with serving(authority, lambda user: user == "first") as server:
            kubeconfig = a_kubeconfig(tmp_path, server, authority, a_plugin(tmp_path, token="first"))
            async with connect(kubeconfig) as connection:
                assert [await connection.client.get("/a") for _ in range(3)] == [{"user": "first"}] * 3
                assert runs(tmp_path) == 1
                server.accepts = lambda user: user == "second"
                answer(tmp_path, token="second")
                assert await connection.client.create("/a", {"large": "x" * 100_000}) == {"user": "second"}
                assert runs(tmp_path) == 2
                server.accepts = lambda _: False
                with pytest.raises(ForbiddenError):
                    await connection.client.get("/a")

    asyncio.run(run())


def test_a_plugin_gives_a_certificate(tmp_path: Path, authority: Authority) -> None:
    pairs = [authority.issue(name, name) for name in ("first", "second")]

    def status(pair: KeyPair) -> dict[str, str]:
        return {"clientCertificateData": pair.certificate.read_text(), "clientKeyData": pair.key.read_text()}

    async def run() -> None:
        async with serving(authority, lambda user: user == "first") as server:
            kubeconfig = a_kubeconfig(tmp_path, server, authority, a_plugin(tmp_path, **status(pairs[0])))
            async with connect(kubeconfig) as connection:
                assert await connection.client.get("/a") == {"user": "first"}
                server.accepts = lambda user: user == "second"
                answer(tmp_path, **status(pairs[1]))
                # The old connection is still open, and not used again.
                assert await connection.client.get("/a") == {"user": "second"}

    asyncio.run(run())


def test_a_certificate_and_a_token_that_are_renewed_on_disk_are_used(tmp_path: Path, authority: Authority) -> None:
    def install(name: str) -> None:
        pair = authority.issue(name, name)
        for source, target in ((pair.certificate, "client.crt"), (pair.key, "client.key")):
            (tmp_path / target).write_bytes(source.read_bytes())

    async def run() -> None:
        async with serving(authority, lambda _: True) as server:
            install("first")
            user = {"client-certificate": "client.crt", "client-key": "client.key"}
            async with connect(a_kubeconfig(tmp_path, server, authority, user)) as connection:
                assert await connection.client.get("/a") == {"user": "first"}
                install("second")
                assert await connection.client.get("/a") == {"user": "second"}
            (tmp_path / "token").write_text("first")
            async with connect(a_kubeconfig(tmp_path, server, authority, {"tokenFile": "token"})) as connection:
                assert await connection.client.get("/a") == {"user": "first"}
                (tmp_path / "token").write_text("second")
                assert await connection.client.get("/a") == {"user": "second"}

    asyncio.run(run())


def test_a_proxy_is_used_for_everything_also_for_what_users_ask(tmp_path: Path, authority: Authority) -> None:
    async def run(proxy_url: str) -> str:
        async with serving(authority, lambda _: True) as server:
            kubeconfig = a_kubeconfig(tmp_path, server, authority, {"token": "me"}, **{"proxy-url": proxy_url})
            async with connect(kubeconfig) as connection:
                assert await connection.client.get("/a") == {"user": "me"}
            async with (
                connect_for_users(kubeconfig, user_agent="it") as users,
                users.session.get(f"{server.url}/a", headers={"Authorization": "Bearer them"}) as response,
            ):
                assert await response.json() == {"user": "them"}
            return server.url.removeprefix("https://")

    with serving_proxy() as proxy:
        address = asyncio.run(run(proxy.url))
        assert proxy.targets == [address, address]


def test_a_proxy_that_is_not_there_is_not_bypassed(tmp_path: Path, authority: Authority) -> None:
    async def run() -> None:
        async with serving(authority, lambda _: True) as server:
            proxy = {"proxy-url": "http://127.0.0.1:9"}
            async with connect(a_kubeconfig(tmp_path, server, authority, {"token": "me"}, **proxy)) as connection:
                with pytest.raises(aiohttp.ClientProxyConnectionError):
                    await connection.session.get(f"{server.url}/a")

    asyncio.run(run())
