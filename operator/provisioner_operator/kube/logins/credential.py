"""Keep the credential of this process current, and sign requests with it.

Files of tokens and certificates are read again every minute; a plugin runs again before what it gave expires. When the API
server answers 401, whatever the kubeconfig names is read at once, itself included, and the request is sent once more. Made by
`connect`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from provisioner_operator.kube.logins.exec_plugin import Given, PluginError
from provisioner_operator.kube.logins.login import Chosen, Login, LoginError, Pem, reread

REREAD_SECONDS = 60.0
"""Kubelet replaces a projected token long before it expires, and suggests reading it again every minute."""
RENEWAL_SHARE = 0.8
"""The part of its life after which what a plugin gave is renewed: Terraform, which reads it from a file, does so every minute."""
REFUSAL_PAUSE_SECONDS = 5.0
"""The pause between renewals because of 401: whatever is refused again does not become valid by asking all the time."""
_UNAUTHORIZED = 401

logger = logging.getLogger(__name__)


class CredentialError(aiohttp.ClientError):
    """No credential for a request; another try may succeed."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Token and certificate with which a request is sent."""

    login: Login = field(repr=False)
    authorization: str | None = field(default=None, repr=False)
    certificate: tuple[Pem, Pem] | None = field(default=None, repr=False)
    stamps: tuple[object, ...] = ()
    """Change with the files of certificates."""


class CurrentCredential:
    """The credential of a login, as it is now."""

    def __init__(self, login: Login) -> None:
        """Start with a login. Raises LoginError if the server's authority cannot be read."""
        self._login = login
        self._credential: Credential | None = None
        self._tls = login.server.tls()
        self._due_at = float("-inf")
        """Time on the event loop's clock at which it is to be looked at again."""
        self._refused_at = float("-inf")
        self._expires_at: float | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._observers: list[Callable[[Credential], None]] = []

    @property
    def chosen(self) -> Chosen | None:
        """The entries of the kubeconfig; None in a Pod without one."""
        return self._login.chosen

    async def get(self) -> Credential:
        """Return the credential. Raises CredentialError if there is none."""
        if _now() >= self._due_at:
            renewal = self._renew()
            # A plugin may take long, and what it gave before is still valid.
            if self._login.plugin is None or self._credential is None or self._is_expired():
                await asyncio.shield(renewal)
        if self._credential is None:
            raise CredentialError("there is no credential")
        return self._credential

    async def observe(self, observer: Callable[[Credential], None]) -> None:
        """Call the observer with the credential now, and with each new one."""
        observer(await self.get())
        self._observers.append(observer)

    async def sign(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Sign a request: the middleware of a session."""
        used = self._sign(request, await self.get())
        response = await handler(request)
        if response.status != _UNAUTHORIZED or not await self._is_replaced(used):
            return response
        response.close()
        self._sign(request, await self.get())
        return await handler(request)

    async def close(self) -> None:
        """End what is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _sign(self, request: aiohttp.ClientRequest, credential: Credential) -> Credential:
        if credential.authorization is not None:
            request.headers["Authorization"] = credential.authorization
        # aiohttp pools connections by their context, so one with a former certificate is not used again. It has no other way
        # to give a request another context than where it is sent.
        request._ssl = self._tls  # noqa: SLF001
        return credential

    async def _is_replaced(self, refused: Credential) -> bool:
        """Return whether there is another credential than the one that was refused."""
        if self._credential is not refused:
            return True
        is_renewing = self._renewal is not None and not self._renewal.done()
        if not is_renewing:
            if _now() < self._refused_at + REFUSAL_PAUSE_SECONDS:
                return False
            self._refused_at = _now()
            try:
                self._login = reread(self._login)
            except LoginError as error:
                logger.warning("The API server refuses this process's credential, and there is no other: %s", error)
                return False
        await asyncio.shield(self._renew())
        return self._credential is not refused

    def _renew(self) -> asyncio.Task[None]:
        """Return the renewal under way: one serves all requests, and goes on if one of them gives up."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._replace())
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewal

    async def _replace(self) -> None:
        try:
            self._adopt(*await _read(self._login))
        except (PluginError, OSError, LoginError) as error:
            # A file may be about to be replaced, or a certificate not to match its key yet.
            self._due_at = _now() + REFUSAL_PAUSE_SECONDS
            if self._credential is None or self._is_expired():
                raise CredentialError(str(error)) from error
            logger.warning("The credential for the API server could not be renewed: %s", error)

    def _adopt(self, credential: Credential, given: Given | None) -> None:
        changed = credential != self._credential
        if changed:
            # Before anything is replaced: the files of a certificate may be half written.
            tls = credential.login.server.tls(credential.certificate)
            self._tls, self._credential = tls, credential
        self._expires_at = None if given is None else given.expires_at
        self._due_at = _now() + _seconds_until_due(given)
        if changed:
            for observer in self._observers:
                observer(credential)

    def _is_expired(self) -> bool:
        return self._expires_at is not None and time.time() >= self._expires_at


async def _read(login: Login) -> tuple[Credential, Given | None]:
    given = None if login.plugin is None else await login.plugin.run()
    authorization, certificate = login.authorization, login.certificate
    if given is not None:
        authorization = f"Bearer {given.token}" if given.token else None
        certificate = given.certificate or certificate
    elif login.token_file is not None:
        token = login.token_file.read_text(encoding="utf-8").strip()
        if not token:
            raise OSError(f"the token file {login.token_file} is empty")
        authorization = f"Bearer {token}"
    stamps = tuple(_stamp(each) for each in (login.server.authority, *(certificate or ())))
    return Credential(login, authorization, certificate, stamps), given


def _seconds_until_due(given: Given | None) -> float:
    if given is None:
        return REREAD_SECONDS
    if given.expires_at is None:
        return float("inf")
    return max((given.expires_at - time.time()) * RENEWAL_SHARE, 1.0)


def _stamp(pem: Pem | None) -> object:
    if not isinstance(pem, Path):
        return None
    status = pem.stat()
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def _now() -> float:
    return asyncio.get_running_loop().time()
