"""Serve the output of programs as the logs of Pods, in place of kubelet: the API server requests them by HTTPS.

It knows nothing else of a node: no Pod is started here. A real kubelet is for the end-to-end tests.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from provisioner_devcluster.control_plane.certificates import Authority
from support.cluster.kubectl import Kubectl
from support.programs.programs import Program

ADDRESS = "127.0.0.1"
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class KubeletLogs:
    """A Node whose Pods' logs are the output of these programs."""

    node: str
    programs: dict[str, Program] = field(default_factory=dict)
    """Programs by the names of their Pods."""
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def kubelet_logs(admin: Kubectl, node: str, folder: Path) -> Iterator[KubeletLogs]:
    """Create a Node to which no Pod is scheduled, and serve logs for it; `folder` is for a certificate."""
    logs = KubeletLogs(node)
    server = ThreadingHTTPServer((ADDRESS, 0), _handler(logs))
    pair = Authority("kubelet", folder / "kubelet").issue("serving", "kubelet", addresses=[ADDRESS])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    metadata = {"name": node}
    admin.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"unschedulable": True}})
    status = {
        "addresses": [{"type": "InternalIP", "address": ADDRESS}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_port}},
    }
    admin.patch("node", node, {"status": status}, subresource="status")
    try:
        yield logs
    finally:
        logs.closing.set()
        admin.run("delete", "node", node)
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(logs: KubeletLogs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            """Answer /containerLogs/NAMESPACE/POD/CONTAINER with the lines since a time, and further ones if asked."""
            request = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(request.query).items()}
            log = logs.programs[request.path.split("/")[3]].log
            since = datetime.fromisoformat(query.get("sinceTime", "1970-01-01T00:00:00Z"))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            sent = 0
            try:
                while True:
                    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
                    for line in lines[sent:]:
                        at = _time_of(line)
                        if at >= since:
                            self.wfile.write(f"{_with_nanoseconds(at)} {line}\n".encode())
                    self.wfile.flush()
                    sent = len(lines)
                    if query.get("follow") != "true" or logs.closing.wait(_POLL):
                        return
            except OSError:
                pass  # the API server has closed the connection

    return Handler


def _time_of(line: str) -> datetime:
    """Return the time at which a program printed a line, which is JSON."""
    return datetime.fromisoformat(json.loads(line)["timestamp"]).astimezone(UTC)


def _with_nanoseconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
