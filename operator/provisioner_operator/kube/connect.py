"""Open connections to the API server that `login` finds: those of this process, and those of a web server's users.

Called by the controller, the daemon and the web server.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from provisioner_operator import __version__
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.credential import CredentialError, CurrentCredential
from provisioner_operator.kube.login import LoginError, Server, find_login

MOST_STREAMS = 1024
"""Watches and logs that all users of a web server read at a time; further ones are refused after a while, and tried again."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Open connections to an API server, for our client and for Kopf alike."""

    server: str
    session: aiohttp.ClientSession
    client: KubeClient
    credential: CurrentCredential
    """The credential of this process, kept current."""
    another_session: Callable[[], aiohttp.ClientSession]
    """Opens a session over the same connections. Whoever asks for it closes it; the others stay open."""


@asynccontextmanager
async def connect(kubeconfig: Path | None = None, *, connections: int = 64) -> AsyncIterator[Connection]:
    """Open a session of at most `connections` connections. Raises LoginError."""
    login = find_login(kubeconfig, os.environ)
    server = login.server
    credential = CurrentCredential(login)

    def open_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            headers={"User-Agent": f"provisioner-operator/{__version__}"},
            middlewares=(refuse_redirects, credential.sign),
            proxy=server.proxy,
        )

    try:
        await _require(credential, server)
        async with aiohttp.TCPConnector(limit=connections) as connector, open_session(connector) as session:
            client = KubeClient(session, server.url)
            yield Connection(server.url, session, client, credential, lambda: open_session(connector))
    finally:
        await credential.close()


async def _require(credential: CurrentCredential, server: Server) -> None:
    """Raise LoginError at once if what the kubeconfig names cannot be read or run at all."""
    try:
        await credential.get()
    except CredentialError as error:
        raise LoginError(f"Cannot log in at {server.url}: {error}") from error


@dataclass(frozen=True, slots=True)
class UserConnection:
    """Open connections to an API server without any credential: each request brings that of its user.

    Only `connect_for_users` makes one. A TLS session with a client certificate would let the API server take every
    request for the certificate's user, whatever token it brings.
    """

    server: str
    session: aiohttp.ClientSession
    connector: aiohttp.BaseConnector
    """Connections of `session`, for reviews as well."""
    streams: aiohttp.ClientSession
    """Has connections of its own for watches and logs, so that no number of them keeps a short request waiting."""
    proxy: str | None = None
    """URL of the proxy through which the API server is reached."""


@asynccontextmanager
async def connect_for_users(
    kubeconfig: Path | None = None, *, user_agent: str, connections: int = 64, streams: int = MOST_STREAMS
) -> AsyncIterator[UserConnection]:
    """Open at most `connections + streams` connections to the cluster that `connect` finds. Raises LoginError."""
    # The server's address and authority, and nothing that identifies anybody.
    server = find_login(kubeconfig, os.environ).server
    tls = server.tls()

    def open_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            headers={"User-Agent": user_agent},
            middlewares=(refuse_redirects,),
            # Cookies of a proxy before the API server would be shared by all users.
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=server.proxy,
        )

    async with (
        aiohttp.TCPConnector(ssl=tls, limit=connections) as short,
        aiohttp.TCPConnector(ssl=tls, limit=streams) as long,
        open_session(short) as session,
        open_session(long) as streaming,
    ):
        yield UserConnection(server.url, session, short, streaming, server.proxy)


_Middleware = Callable[[aiohttp.ClientRequest, aiohttp.ClientHandlerType], Awaitable[aiohttp.ClientResponse]]


class RedirectedError(aiohttp.ClientError):
    """Answer that sends a request elsewhere, which no API server gives: something else is at its address."""


async def refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Follow no redirect: a middleware that signs requests would also sign the one to another host. Raises RedirectedError."""
    response = await handler(request)
    if response.status in _REDIRECTS:
        response.close()
        raise RedirectedError(f"redirected by HTTP {response.status}")
    return response


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
