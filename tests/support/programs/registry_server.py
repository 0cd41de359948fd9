"""Module registry on loopback, over https: it demands a token, and its archives demand a login."""

import io
import json
import ssl
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from support.programs.git_server import basic_auth

VERSION = "1.0.0"


class RegistryServer(ThreadingHTTPServer):
    """Serves one module, by the protocol of registries, and as an archive."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, str], token: str, credentials: tuple[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.credentials = credentials
        self.archive = _zipped(files)
        # An address, because Terraform takes no host without a dot for a registry.
        self.host = f"127.0.0.1:{self.server_port}"

    def demanded(self, path: str) -> str | None:
        """Return the Authorization header that a request for this path has to bring; None if anybody may ask."""
        if path.startswith("/v1/"):
            return f"Bearer {self.token}"
        return basic_auth(*self.credentials) if path.startswith("/module.zip") else None

    def answer(self, path: str) -> tuple[int, str, str, bytes]:
        """Return status, a header and its value, and the content of the answer."""
        if path == "/.well-known/terraform.json":
            return (200, "Content-Type", "application/json", json.dumps({"modules.v1": "/v1/modules/"}).encode())
        if path.startswith("/v1/modules/") and path.endswith("/versions"):
            versions = {"modules": [{"versions": [{"version": VERSION}]}]}
            return (200, "Content-Type", "application/json", json.dumps(versions).encode())
        if path.startswith("/v1/modules/") and path.endswith("/download"):
            return (204, "X-Terraform-Get", f"https://{self.host}/module.zip", b"")
        if path.startswith("/module.zip"):
            return (200, "Content-Type", "application/zip", self.archive)
        return (404, "Content-Type", "text/plain", b"")


class _Handler(BaseHTTPRequestHandler):
    server: RegistryServer

    def do_GET(self) -> None:
        demanded = self.server.demanded(self.path)
        if demanded is not None and self.headers.get("Authorization") != demanded:
            status, name, value, content = 401, "WWW-Authenticate", "Basic", b""
        else:
            status, name, value, content = self.server.answer(self.path)
        self.send_response(status)
        self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    @override
    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _zipped(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return data.getvalue()


@contextmanager
def serving_modules(
    files: Mapping[str, str], *, token: str, credentials: tuple[str, str], tls: ssl.SSLContext
) -> Iterator[RegistryServer]:
    """Serve a module of these files."""
    with RegistryServer(files, token, credentials) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
