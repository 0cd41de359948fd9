"""Readiness checks of a cluster, by requests to its API server.

Called by the control plane while it waits. Ready means that a test can begin: the API server is ready, RBAC is in place,
objects can be created, and the controller-manager has created the ServiceAccount of the first namespace.
"""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner_devcluster.control_plane.certificates import KeyPair

# On loopback an answer takes milliseconds, but a starting server may accept the connection and answer late.
REQUEST_TIMEOUT = 5

FIRST_SERVICE_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"

# A dry run passes all checks of the API server and stores nothing.
CREATE_NOTHING = "/api/v1/namespaces/default/configmaps?dryRun=All"


class Probe:
    """Readiness checks of one API server, as its administrator."""

    def __init__(self, address: str, port: int, authority: Path, client: KeyPair) -> None:
        self._address = address
        self._port = port
        self._context = ssl.create_default_context(cafile=authority)
        self._context.load_cert_chain(client.certificate, client.key)

    def serving(self) -> str | None:
        """Return the missing condition for the API server to serve, or None."""
        status, body = self._request("GET", "/readyz?verbose")
        if status == http.HTTPStatus.OK:
            return None
        failed = [line for line in body.splitlines() if line.startswith("[-]")]
        return f"the API server's /readyz ({'; '.join(failed) or body or 'no answer'})"

    def ready(self) -> str | None:
        """Return the missing condition for the cluster to be usable, or None."""
        status, body = self._request("GET", FIRST_SERVICE_ACCOUNT)
        if status != http.HTTPStatus.OK:
            return f"the ServiceAccount of namespace default, which the controller-manager creates ({status}: {body})"
        status, body = self._request("POST", CREATE_NOTHING, {"metadata": {"name": "devcluster-probe"}})
        if status != http.HTTPStatus.CREATED:
            return f"the right to create objects ({status}: {body})"
        return None

    def node_ready(self, name: str) -> str | None:
        """Return the missing condition for a node to accept Pods, or None."""
        status, body = self._request("GET", f"/api/v1/nodes/{name}")
        if status != http.HTTPStatus.OK:
            return f"the Node {name}, which its kubelet registers ({status}: {body})"
        node = json.loads(body)
        if taints := node["spec"].get("taints"):
            return f"that the Node {name} loses its taints ({', '.join(taint['key'] for taint in taints)})"
        ready = [condition for condition in node["status"].get("conditions", []) if condition["type"] == "Ready"]
        if not ready or ready[0]["status"] != "True":
            return f"that the Node {name} is Ready ({ready[0]['message'] if ready else 'its kubelet has not reported'})"
        return None

    def _request(self, method: str, path: str, document: object = None) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(
            self._address,
            self._port,
            timeout=REQUEST_TIMEOUT,
            context=self._context,
        )
        body = None if document is None else json.dumps(document)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()
