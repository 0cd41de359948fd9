"""The port on which Prometheus reads the metrics: apart from the page's, so that a network policy can tell them apart."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

METRICS = "/metrics"


class MetricsPort:
    """Answers what arrives at one port by the metrics, and leaves all else to an application."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, port: int) -> None:
        self._app = app
        self._registry = registry
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, one WebSocket, or the events of the server's own life."""
        server = scope.get("server")
        if scope["type"] != "http" or server is None or server[1] != self._port:
            await self._app(scope, receive, send)
            return
        await self._answer(scope["path"])(scope, receive, send)

    def _answer(self, path: str) -> Response:
        if path != METRICS:
            return PlainTextResponse(f"Only {METRICS} is here.\n", 404)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
