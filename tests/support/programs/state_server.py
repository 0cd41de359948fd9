"""A server for Terraform's backend `http`: it keeps states and locks in memory, and asks for a login."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

USERNAME, PASSWORD = "states", "correct-horse-battery-staple"


@dataclass
class StateServer:
    """The states and the locks that the server holds, by path."""

    port: int = 0
    states: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, bytes] = field(default_factory=dict)
    times_locked: int = 0
    mutex: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def state(self, path: str) -> Any:
        """The state at the path, parsed."""
        return json.loads(self.states[path])

    def lock(self, path: str, holder: str) -> None:
        """Lock the state as another run would."""
        info = {"ID": "1-2-3", "Operation": "OperationTypeApply", "Who": holder, "Created": "2026-01-01T00:00:00Z"}
        self.locks[path] = json.dumps(info).encode()


@contextmanager
def a_state_server() -> Iterator[StateServer]:
    """Serve until the end of the context."""
    store = StateServer()

    class Handler(_Handler):
        server_store = store

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        store.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield store
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server_store: StateServer

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def do_LOCK(self) -> None:
        self._serve(self._lock)

    def do_UNLOCK(self) -> None:
        self._serve(self._unlock)

    def _serve(self, answer: Any) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        with self.server_store.mutex:
            if self.headers.get("Authorization") == f"Basic {login}":
                status, content = answer(urlsplit(self.path).path, body)
            else:
                status, content = HTTPStatus.UNAUTHORIZED, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _get(self, path: str, _body: bytes) -> tuple[HTTPStatus, bytes]:
        found = self.server_store.states.get(path)
        return (HTTPStatus.NO_CONTENT, b"") if found is None else (HTTPStatus.OK, found)

    def _post(self, path: str, body: bytes) -> tuple[HTTPStatus, bytes]:
        # As a real server does: only the holder of the lock may write.
        held = self.server_store.locks.get(path)
        query = urlsplit(self.path).query
        if held is None or f"ID={json.loads(held)['ID']}" not in query:
            return HTTPStatus.CONFLICT, b""
        self.server_store.states[path] = body
        return HTTPStatus.OK, b""

    def _delete(self, path: str, _body: bytes) -> tuple[HTTPStatus, bytes]:
        self.server_store.states.pop(path, None)
        return HTTPStatus.OK, b""

    def _lock(self, path: str, body: bytes) -> tuple[HTTPStatus, bytes]:
        held = self.server_store.locks.setdefault(path, body)
        self.server_store.times_locked += held is body
        return (HTTPStatus.OK, b"") if held is body else (HTTPStatus.LOCKED, held)

    def _unlock(self, path: str, _body: bytes) -> tuple[HTTPStatus, bytes]:
        self.server_store.locks.pop(path, None)
        return HTTPStatus.OK, b""

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""
