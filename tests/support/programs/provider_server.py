"""Provider network mirror, which Terraform installs from as from a registry, and which counts the downloads."""

import contextlib
import io
import json
import ssl
import sys
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

from provisioner_devcluster.build.architecture import go_architecture
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import CODER_PROVIDER, CODER_PROVIDER_VERSION
from provisioner_devcluster.build.provider_mirror import ADDRESSES
from provisioner_devcluster.control_plane.certificates import Authority

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ProviderPackage:
    """A version of a provider for this platform."""

    address: str
    """HOST/NAMESPACE/TYPE."""
    version: str
    program: Path


class ProviderServer(ThreadingHTTPServer):
    """Answers as a provider network mirror does."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, answers: dict[str, bytes]) -> None:
        super().__init__((host, 0), _Handler)
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
    """A mirror that serves, and the files by which Terraform uses it."""

    server: ProviderServer
    configuration: Path
    """A CLI configuration that names it."""
    authority: Path
    """The certificate of its certificate's issuer."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a Terraform that finds these files."""
        return {"TF_CLI_CONFIG_FILE": str(self.configuration), "SSL_CERT_FILE": str(self.authority)}


def coder_packages() -> list[ProviderPackage]:
    """Return Coder's provider, for OpenTofu and for Terraform."""
    program = build(CODER_PROVIDER)
    return [ProviderPackage(address, CODER_PROVIDER_VERSION, program) for address in ADDRESSES]


@contextmanager
def serving_coder_provider(directory: Path) -> Iterator[Served]:
    """Serve Coder's provider on loopback; certificate and configuration are written into the directory."""
    with serving_providers(directory, coder_packages()) as served:
        yield served


@contextmanager
def serving_providers(
    directory: Path, packages: Iterable[ProviderPackage], *, host: str = LOOPBACK
) -> Iterator[Served]:
    """Serve these providers at an address of this machine; certificate and configuration are written into the directory."""
    authority = Authority("mirror", directory / "certificates")
    pair = authority.issue("mirror", "mirror", addresses=[host])
    server = ProviderServer(host, _answers(packages))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    configuration = directory / "mirror.tfrc"
    url = f"https://{host}:{server.server_port}/"
    configuration.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "{url}"\n  }}\n}}\n')
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Served(server, configuration, authority.pair.certificate)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answers(packages: Iterable[ProviderPackage]) -> dict[str, bytes]:
    platform = f"{sys.platform}_{go_architecture()}"
    answers: dict[str, bytes] = {}
    for package in packages:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.write(package.program, package.program.name)
        name = f"{package.version}_{platform}.zip"
        answers[f"/{package.address}/index.json"] = json.dumps({"versions": {package.version: {}}}).encode()
        answers[f"/{package.address}/{package.version}.json"] = json.dumps(
            {"archives": {platform: {"url": name}}}
        ).encode()
        answers[f"/{package.address}/{name}"] = archive.getvalue()
    return answers
