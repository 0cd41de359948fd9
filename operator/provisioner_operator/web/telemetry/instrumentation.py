"""Counts and times every request and every WebSocket: pure ASGI around the guard, so that refusals count too."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provisioner_operator.web.telemetry.metrics import Metrics

NO_ROUTE = "none"
"""Route of requests that the guard refused or that match no route."""
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Instrumentation:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float]) -> None:
        """`clock` never jumps, in seconds."""
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, one WebSocket, or the events of the server's own life."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        began = self._clock()
        # A request that is given up before its answer starts ends with an error of the server.
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        answered: float | None = None

        async def counted_send(message: Message) -> None:
            nonlocal status, answered
            if answered is None and message["type"] in _STARTS:
                status = message.get("status", HTTPStatus.SWITCHING_PROTOCOLS)
                answered = self._clock()
            elif answered is None and message["type"] == "websocket.close":
                status = HTTPStatus.FORBIDDEN
            await send(message)

        try:
            await self._app(scope, receive, counted_send)
        finally:
            route = _route_of(scope)
            self._metrics.requests.labels(route, _method_of(scope), str(int(status))).inc()
            self._metrics.latency.labels(route).observe((answered or self._clock()) - began)


def _route_of(scope: Scope) -> str:
    """Return the pattern of the path, never the path itself: labels are bounded."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", None) or NO_ROUTE)


def _method_of(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    return scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
