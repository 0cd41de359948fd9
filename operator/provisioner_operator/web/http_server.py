"""HTTP by uvicorn, with limits; ends in order. Knows nothing of the application."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import h11
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

SHUTDOWN_SECONDS = 10
"""Time for requests under way to end; less than the 30 s that kubelet grants."""
IDLE_SECONDS = 75
"""Time for which an idle connection is kept: longer than proxies keep theirs, so that they end first."""
REQUEST_SECONDS = 30.0
"""Time for a client to send a request, head and body, from its first byte or from the connection: proxies and browsers take
far less, and a connection that brings no request would keep its place for ever."""
UNSENT_SECONDS = 60.0
"""Time for which bytes may wait for a client that takes none, until the kernel ends the connection."""
MOST_CONNECTIONS = 4_000
"""Requests and streams at a time on the ports of one server; more are answered by 503."""
LONGEST_SOCKET_MESSAGE = 64 * 1024
"""Bytes of a message that a client may send by WebSocket; ours only read."""
MESSAGES_KEPT = 4
"""Messages of a WebSocket's client that wait to be read."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PromptProtocol(H11Protocol):
    """HTTP/1.1 for clients that send their requests in time; uvicorn itself waits for ever for the rest of one."""

    _deadline: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._expect_request()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_http = self.transport.get_protocol() is self  # otherwise it has become a WebSocket
        if is_http and self.conn.their_state in _INCOMPLETE:
            self._expect_request()
        else:
            self._expect_nothing()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The next request may have come with the former one. If none has begun, the limit of idle connections counts.
        if self.conn.their_state is h11.SEND_BODY:
            self._expect_request()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        """Set the deadline, unless it runs already: a client that sends a byte now and then gets no more time."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


_INCOMPLETE = frozenset({h11.IDLE, h11.SEND_BODY})
"""States of a client whose request is not there as a whole."""


class HttpServer(uvicorn.Server):
    """Serves an application on sockets until it is stopped. Each server has a limit of connections of its own."""

    def __init__(self, app: ASGIApp, on_stop: Callable[[], None] = lambda: None) -> None:
        """`on_stop` ends what would not end by itself, such as streams."""
        super().__init__(
            uvicorn.Config(
                app,
                http=PromptProtocol,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Headers about the client are the guard's to judge, by the proxies that are trusted.
                proxy_headers=False,
                ws="websockets-sansio",
                ws_max_size=LONGEST_SOCKET_MESSAGE,
                ws_max_queue=MESSAGES_KEPT,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self._on_stop = on_stop

    async def run_on(self, *listeners: socket.socket) -> None:
        """Serve until the end."""
        await self._serve(list(listeners))

    def stop(self) -> None:
        """Accept nothing more, let what is under way end, and return from `run_on`."""
        self.should_exit = True
        self._on_stop()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at the end, before anything else could be closed."""
        yield


@contextlib.contextmanager
def on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` when a signal asks this process to end."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as handlers:
        for each in _SIGNALS:
            with contextlib.suppress(ValueError, RuntimeError):  # outside the main thread, where tests serve
                loop.add_signal_handler(each, stop)
                handlers.callback(loop.remove_signal_handler, each)
        yield


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; if empty, on every address of IPv4 and IPv6. Raises OSError."""
    listener = _listener(host, port)
    # Inherited by each connection. Closing one would wait for its bytes to be sent, for as long as the client likes.
    with contextlib.suppress(AttributeError):  # an option of Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNSENT_SECONDS * 1000))
    return listener


def _listener(host: str, port: int) -> socket.socket:
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    return socket.create_server(("", port), backlog=1024)
