"""Mirror of Coder's provider on loopback, which Terraform installs from as from a registry, and which counts the downloads."""

import contextlib
import json
import ssl
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

from provisioner_devcluster.build.provider_mirror import ADDRESSES, find_coder_mirror
from provisioner_devcluster.control_plane.certificates import Authority

LOOPBACK = "127.0.0.1"


class ProviderServer(ThreadingHTTPServer):
    """Answers as a provider network mirror does."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.answers = answers
        self.downloads = 0
        self.counting = threading.Lock()
        self.open = threading.Event()
        """Downloads end only once it is set."""
        self.open.set()


class _Handler(BaseHTTPRequestHandler):
    server: ProviderServer

    def do_GET(self) -> None:
        content = self.server.answers.get(self.path)
        if self.path.endswith(".zip"):
            with self.server.counting:
                self.server.downloads += 1
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "application/zip" if self.path.endswith(".zip") else "application/json")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if content is not None and self.path.endswith(".zip"):
            half = len(content) // 2
            self.wfile.write(content[:half])
            self.server.open.wait()
            content = content[half:]
        with contextlib.suppress(OSError):  # of a client that was killed
            self.wfile.write(content or b"")

    @override
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@dataclass(frozen=True, slots=True)
class Served:
    """A mirror that serves, and the environment by which Terraform uses it."""

    server: ProviderServer
    environment: dict[str, str]


@contextmanager
def serving_coder_provider(directory: Path) -> Iterator[Served]:
    """Serve Coder's provider; certificate and configuration are written into the directory."""
    authority = Authority("mirror", directory / "certificates")
    pair = authority.issue("mirror", "mirror", addresses=[LOOPBACK])
    server = ProviderServer(_answers(directory))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    configuration = directory / "mirror.tfrc"
    url = f"https://{LOOPBACK}:{server.server_port}/"
    configuration.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "{url}"\n  }}\n}}\n')
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Served(
            server, {"TF_CLI_CONFIG_FILE": str(configuration), "SSL_CERT_FILE": str(authority.pair.certificate)}
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answers(directory: Path) -> dict[str, bytes]:
    answers: dict[str, bytes] = {}
    for address in ADDRESSES:
        (package,) = (find_coder_mirror() / address).glob("*/*")
        version, platform = package.parent.name, package.name
        archive = directory / "provider.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            for file in package.iterdir():
                opened.write(file.resolve(), file.name)
        name = f"{version}_{platform}.zip"
        answers[f"/{address}/index.json"] = json.dumps({"versions": {version: {}}}).encode()
        answers[f"/{address}/{version}.json"] = json.dumps({"archives": {platform: {"url": name}}}).encode()
        answers[f"/{address}/{name}"] = archive.read_bytes()
    return answers
