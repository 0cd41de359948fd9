"""Mirror of Coder's provider on loopback, which Terraform installs from as from a registry, and which counts the downloads."""

import json
import ssl
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from provisioner_devcluster.build.provider_mirror import ADDRESSES, find_coder_mirror

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
    certificate, key = _certificate(directory)
    server = ProviderServer(_answers(directory))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    configuration = directory / "mirror.tfrc"
    url = f"https://{LOOPBACK}:{server.server_port}/"
    configuration.write_text(f'provider_installation {{\n  network_mirror {{\n    url = "{url}"\n  }}\n}}\n')
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Served(server, {"TF_CLI_CONFIG_FILE": str(configuration), "SSL_CERT_FILE": str(certificate)})
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


def _certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mirror")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = directory / "mirror.crt", directory / "mirror.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files
