"""HTTP proxy on loopback that tunnels by CONNECT, and records where to."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override


class ConnectProxy(socketserver.ThreadingTCPServer):
    """A proxy that serves until the end of its test."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.targets: list[str] = []
        """Host and port of each tunnel."""
        self.ends = threading.Event()


class _Tunnel(socketserver.StreamRequestHandler):
    server: ConnectProxy

    @override
    def handle(self) -> None:
        method, target = self.rfile.readline().decode().split()[:2]
        while self.rfile.readline().strip():
            pass
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        self.server.targets.append(target)
        host, port = target.rsplit(":", 1)
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            other = {self.connection: there, there: self.connection}
            while not self.server.ends.is_set():
                for source in select.select(list(other), [], [], 0.1)[0]:
                    if not (data := source.recv(65_536)):
                        return
                    other[source].sendall(data)


@contextmanager
def serving_proxy() -> Iterator[ConnectProxy]:
    """Serve a proxy in threads of its own."""
    with ConnectProxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.ends.set()
            proxy.shutdown()
            thread.join()
