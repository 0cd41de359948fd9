"""Answers on the port of Prometheus and of kubelet: metrics and probes.

They have a server of their own: a network policy can tell its port from that of the page, and whoever takes every
connection of the page can neither hide the metrics nor have kubelet restart the server.
"""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

METRICS = "/metrics"

Answer = Callable[[], Response]


class MetricsApp:
    """Answers requests for the metrics and some further paths, and refuses all else, also WebSockets."""

    def __init__(self, registry: CollectorRegistry, further: Mapping[str, Answer]) -> None:
        """Take the metrics, and the answers of further paths."""
        self._answers: dict[str, Answer] = {**further, METRICS: lambda: _metrics(registry)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or refuse one WebSocket."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._answers.get(scope["path"], self._unknown)
        await answer()(scope, receive, send)

    def _unknown(self) -> Response:
        return PlainTextResponse(f"Only {', '.join(sorted(self._answers))} are here.\n", 404)


def _metrics(registry: CollectorRegistry) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
