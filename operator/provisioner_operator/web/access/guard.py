"""The guard before every request, of HTTP and of WebSockets alike: pure ASGI, since an HTTP middleware sees no sockets.

It refuses foreign names, foreign pages and too many requests, whatever the credential; adds the security headers; and
logs each change and each refusal. Independent of the routes.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provisioner_operator.web.access.authentication import token_of
from provisioner_operator.web.access.client_address import Network, client_address
from provisioner_operator.web.access.hosts import is_allowed, is_same_origin
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.security_headers import add_security_headers
from provisioner_operator.web.access.tokens import MalformedTokenError
from provisioner_operator.web.request_record import RequestRecord, record_of

_logger = logging.getLogger("provisioner_operator.web.audit")

PROBES = frozenset({"/healthz", "/readyz"})
"""Paths that kubelet asks for by the Pod's address; they show nothing."""
LOGIN = "/login"
OPEN = "/open"
"""The path of the one-time code of a local server."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME = frozenset({"same-origin", "none"})
"""`none` is a request that a person made, by the address bar or a bookmark."""


@dataclass(frozen=True, slots=True)
class _Refusal(Exception):  # noqa: N818 - an answer rather than an error
    status: int
    message: str
    retry_after: int | None = None


class Guard:
    """Wraps an application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Collection[str],
        requests: RateLimit,
        logins: RateLimit,
        clock: Callable[[], float],
        read_only: bool = False,
        session: LocalSession | None = None,
        trusted_proxies: Collection[Network] = (),
    ) -> None:
        """Guard an application.

        Args:
            app: The application.
            allowed_hosts: Names beside loopback under which it may be reached.
            requests: The limit for each token, and for each address without one.
            logins: The limit for each address that tries to log in.
            clock: A clock that never jumps, in seconds.
            read_only: Whether every request that changes something is refused.
            session: The one session that is admitted at all, of a server for one user.
            trusted_proxies: Networks of proxies that are believed whose requests they pass on.
        """
        self._app = app
        self._allowed_hosts = frozenset(name.lower() for name in allowed_hosts)
        self._requests = requests
        self._logins = logins
        self._clock = clock
        self._read_only = read_only
        self._session = session
        self._trusted_proxies = tuple(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, one WebSocket, or the events of the server's own life."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        record = record_of(scope)
        began = self._clock()
        status = 0

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] in _STARTS:
                status = message.get("status", HTTPStatus.SWITCHING_PROTOCOLS)
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = record.id
                add_security_headers(headers)
            elif message["type"] == "websocket.close" and not status:
                status = HTTPStatus.FORBIDDEN
            await send(message)

        try:
            self._judge(scope)
            await self._app(scope, receive, guarded_send)
        except _Refusal as refusal:
            await _refuse(scope, refusal, guarded_send)
        except Exception:
            # A bug, which was answered with the request's id (`problems`), or ends the stream that had begun.
            _logger.exception("Request %s failed", record.id, extra={"request_id": record.id})
            if not status:
                await _refuse(scope, _Refusal(500, f"An internal server error occurred: {record.id}"), guarded_send)
        finally:
            _log(scope, record, status, self._clock() - began)

    def _judge(self, scope: Scope) -> None:
        """Raise _Refusal for a request that must not reach the application."""
        headers = Headers(scope=scope)
        self._judge_host(headers)
        _judge_origin(scope, headers)
        changes = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
        if changes and self._read_only and scope["path"] not in _SESSION_PATHS:
            raise _Refusal(HTTPStatus.FORBIDDEN, "This server is read-only.")
        if self._session is not None and scope["path"] != OPEN and not self._session.admits(headers):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, "Open the address that this server printed when it started.")
        self._judge_rate(scope, headers)

    def _judge_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_allowed(hosts[0], self._allowed_hosts):
            raise _Refusal(
                HTTPStatus.FORBIDDEN,
                "This server is not known by that name: PROVISIONER_WEB_ALLOWED_HOSTS lists the names it answers to.",
            )

    def _judge_rate(self, scope: Scope, headers: Headers) -> None:
        now = self._clock()
        peer = str((scope.get("client") or ("",))[0])
        address = client_address(peer, headers.getlist("x-forwarded-for"), self._trusted_proxies)
        if scope["path"] == LOGIN and scope.get("method") == "POST":
            wait = self._logins.wait(address, now)
        else:
            try:
                token = token_of(headers)
            except MalformedTokenError:
                token = None
            wait = self._requests.wait(address if token is None else token.digest, now)
        if wait:
            raise _Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests: wait a little.", wait)


_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_SESSION_PATHS = frozenset({LOGIN, "/logout", "/api/v2/users/logout"})


def _judge_origin(scope: Scope, headers: Headers) -> None:
    """Refuse what another page lets a browser send, with or without a credential."""
    origin, host = headers.get("origin"), headers.get("host", "")
    site = headers.get("sec-fetch-site")
    if scope["type"] == "websocket":
        # Browsers send an origin with each handshake, and nothing else that could be judged.
        foreign = origin is not None and not is_same_origin(origin, host)
    elif scope["method"] not in SAFE_METHODS:
        foreign = site not in _SAME if site is not None else origin is not None and not is_same_origin(origin, host)
    else:
        # A link from elsewhere is welcome; a picture, script or frame of a foreign page is not.
        foreign = site is not None and site not in _SAME and headers.get("sec-fetch-dest") != "document"
    if foreign:
        raise _Refusal(HTTPStatus.FORBIDDEN, "The request comes from another site's page.")


async def _refuse(scope: Scope, refusal: _Refusal, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})
        return
    prefix = "websocket." if scope["type"] == "websocket" else ""
    headers = [(b"content-type", b"application/json")]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    start = {"type": f"{prefix}http.response.start", "status": int(refusal.status), "headers": headers}
    await send(start)
    await send({"type": f"{prefix}http.response.body", "body": orjson.dumps({"message": refusal.message})})


def _log(scope: Scope, record: RequestRecord, status: int, seconds: float) -> None:
    """Log a request without its query and its headers: a token may be in either, by mistake."""
    method = scope.get("method", "WEBSOCKET")
    path = ascii(scope["path"])[1:-1]
    is_news = method not in SAFE_METHODS or status in _REFUSALS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    fields = {"user": record.user, "verb": method, "object": path, "result": int(status), "request_id": record.id}
    level = logging.INFO if is_news else logging.DEBUG
    _logger.log(level, "%s %s: %d", method, path, status, extra={**fields, "seconds": round(seconds, 4)})


_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
