"""A connection to the API server by the kubeconfig of a local user, read by the official client.

Credential plugins and OIDC providers give tokens that expire: they are asked again in time.
"""

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_kube_config

from provisioner_operator.kube.connect import refuse_redirects
from provisioner_operator.kube.logins.login import LoginError

_REFRESH_SECONDS = 60.0
"""Time after which a credential is looked at again; the plugin runs only if its last one has expired."""


class LocalCredential:
    """The credential of a kubeconfig's user."""

    def __init__(self, loader: Any, configuration: Configuration) -> None:
        self._loader = loader
        self.configuration = configuration
        """Address, authority and certificate."""
        self._read_at = time.monotonic()

    async def headers(self) -> Mapping[str, str]:
        """Return the headers that carry it; none where a client certificate does."""
        if time.monotonic() - self._read_at > _REFRESH_SECONDS and self._expires:
            await self._loader.load_and_set(self.configuration)
            self._read_at = time.monotonic()
        token = self.configuration.api_key.get("BearerToken")
        return {} if token is None else {"Authorization": token}

    @property
    def _expires(self) -> bool:
        """Whether the loader knows when to ask a plugin again: one that never says would run each time."""
        return hasattr(self._loader, "exec_plugin_expiry") or self._loader.provider is not None


@dataclass(frozen=True, slots=True)
class LocalConnection:
    """Open connections to an API server, as the kubeconfig's user."""

    server: str
    session: aiohttp.ClientSession
    connector: aiohttp.BaseConnector
    credential: LocalCredential


@asynccontextmanager
async def connect_locally(
    kubeconfig: str | None, context: str | None, *, user_agent: str
) -> AsyncIterator[LocalConnection]:
    """Connect as the user of a kubeconfig. Raises LoginError."""
    configuration = Configuration()
    try:
        loader = await load_kube_config(kubeconfig, context, configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise LoginError(f"The kubeconfig cannot be used: {error}") from error
    credential = LocalCredential(loader, configuration)

    async def sign(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers.update(await credential.headers())
        return await handler(request)

    async with (
        aiohttp.TCPConnector(ssl=_ssl_context(configuration)) as connector,
        aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            headers={"User-Agent": user_agent},
            middlewares=(refuse_redirects, sign),
            # Nothing but the credential identifies the user.
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=configuration.proxy,
        ) as session,
    ):
        yield LocalConnection(str(configuration.host), session, connector, credential)


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
