"""HTTP by uvicorn, with limits; ends in order when a signal asks to. Knows nothing of the application."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

SHUTDOWN_SECONDS = 10
"""Time for requests under way to end; less than the 30 s that kubelet grants."""
IDLE_SECONDS = 75
"""Time for which an idle connection is kept: longer than proxies keep theirs, so that they end first."""
MOST_CONNECTIONS = 4_000
"""Requests and streams at a time; more are answered by 503."""
LONGEST_SOCKET_MESSAGE = 64 * 1024
"""Bytes of a message that a client may send by WebSocket; ours only read."""
MESSAGES_KEPT = 4
"""Messages of a WebSocket's client that wait to be read."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HttpServer(uvicorn.Server):
    """Serves an application on a socket until it is stopped, or a signal asks to stop."""

    def __init__(self, app: ASGIApp, on_stop: Callable[[], None]) -> None:
        """`on_stop` ends what would not end by itself, such as streams."""
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Headers about the client are believed from nobody: what they say decides nothing here.
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
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as handlers:
            for each in _SIGNALS:
                with contextlib.suppress(ValueError, RuntimeError):  # outside the main thread, where tests serve
                    loop.add_signal_handler(each, self.stop)
                    handlers.callback(loop.remove_signal_handler, each)
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


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; if empty, on every address of IPv4 and IPv6. Raises OSError."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    return socket.create_server(("", port), backlog=1024)
