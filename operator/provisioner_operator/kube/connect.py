"""Login: finds the API server and its credentials, and opens the one HTTP session of this process.

Order: the given kubeconfig, else `KUBECONFIG`, else the Pod's ServiceAccount. Never `~/.kube/config`, so that no process
serves whichever cluster a user's current context happens to name. Called by the controller and the daemon.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import kopf

from provisioner_operator import __version__
from provisioner_operator.kube.client import KubeClient

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
TOKEN_REREAD_SECONDS = 60
"""Kubelet replaces a projected token long before it expires, and suggests reading it again every minute."""

MOST_STREAMS = 1024
"""Watches and logs that all users of a web server read at a time; further ones are refused after a while, and tried again."""


class LoginError(Exception):
    """There is no cluster to connect to, or no way to log in; the message says what to check."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Open connections to an API server, for our client and for Kopf alike."""

    server: str
    session: aiohttp.ClientSession
    client: KubeClient
    another_session: Callable[[], aiohttp.ClientSession]
    """Opens a session over the same connections. Whoever asks for it closes it; the others stay open."""


@asynccontextmanager
async def connect(kubeconfig: Path | None = None, *, connections: int = 64) -> AsyncIterator[Connection]:
    """Open a session of at most `connections` connections. Raises LoginError."""
    info = _credentials(kubeconfig)
    # A kubeconfig's credentials are fixed; a ServiceAccount's token is replaced while the process runs.
    from_file = info.token is not None and kubeconfig is None and not os.environ.get("KUBECONFIG")
    headers = {"User-Agent": f"provisioner-operator/{__version__}"} | ({} if from_file else info.as_http_headers())
    middlewares = (refuse_redirects, *((token_from_file(SERVICE_ACCOUNT_TOKEN),) if from_file else ()))
    async with aiohttp.TCPConnector(ssl=info.as_ssl_context(), limit=connections) as connector:

        def open_session() -> aiohttp.ClientSession:
            return aiohttp.ClientSession(
                connector=connector, connector_owner=False, headers=headers, middlewares=middlewares
            )

        async with open_session() as session:
            yield Connection(info.server, session, KubeClient(session, info.server), open_session)


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


@asynccontextmanager
async def connect_for_users(
    kubeconfig: Path | None = None, *, user_agent: str, connections: int = 64, streams: int = MOST_STREAMS
) -> AsyncIterator[UserConnection]:
    """Open at most `connections + streams` connections to the cluster that `connect` finds. Raises LoginError."""
    info = _credentials(kubeconfig)
    # The server's address and authority, and nothing that identifies anybody.
    anonymous = kopf.ConnectionInfo(
        server=info.server, ca_path=info.ca_path, ca_data=info.ca_data, insecure=info.insecure
    )
    tls = anonymous.as_ssl_context()

    def open_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            headers={"User-Agent": user_agent},
            middlewares=(refuse_redirects,),
            # Cookies of a proxy before the API server would be shared by all users.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async with (
        aiohttp.TCPConnector(ssl=tls, limit=connections) as short,
        aiohttp.TCPConnector(ssl=tls, limit=streams) as long,
        open_session(short) as session,
        open_session(long) as streaming,
    ):
        yield UserConnection(info.server, session, short, streaming)


def _credentials(kubeconfig: Path | None) -> kopf.ConnectionInfo:
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(kubeconfig)  # where Kopf's own reader looks
    settings = kopf.OperatorSettings()
    path = os.environ.get("KUBECONFIG")
    try:
        info = (
            kopf.login_with_kubeconfig(settings=settings)
            if path
            else kopf.login_with_service_account(settings=settings)
        )
    except (OSError, kopf.LoginError) as error:
        raise LoginError(
            f"Cannot log in with the kubeconfig {path}: {error}. Check the file and its current context."
        ) from error
    if not isinstance(info, kopf.ConnectionInfo):
        raise LoginError(
            "No cluster given: pass --kubeconfig PATH, or set KUBECONFIG, or run in a Pod with a ServiceAccount token."
        )
    return info if path else _by_address(info)


def _by_address(info: kopf.ConnectionInfo) -> kopf.ConnectionInfo:
    """Use the address that kubelet puts into a Pod's environment instead of a name, so that DNS cannot fail."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        return info
    return replace(info, server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")


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


def token_from_file(path: Path) -> _Middleware:
    """Return a middleware that adds the file's token to each request, read again once it may have been replaced."""
    token, read_at = "", float("-inf")

    async def sign(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        nonlocal token, read_at
        now = asyncio.get_running_loop().time()
        if now - read_at > TOKEN_REREAD_SECONDS:
            token, read_at = _read(path), now
        request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    return sign


def _read(path: Path) -> str:
    return path.read_text().strip()
