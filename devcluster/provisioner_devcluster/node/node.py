"""A node: kubelet and kube-proxy in a sandbox, registered with a control plane.

Called by the cluster with a node. Tests can stop kubelet and start it again, to see a node miss its heartbeats while its
Pods keep running, as on a real cluster.
"""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING

from provisioner_devcluster.errors import DevClusterError, tail
from provisioner_devcluster.node.config_files import kubelet_arguments, kubelet_config, proxy_config
from provisioner_devcluster.process.process import POLL

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner_devcluster.control_plane.cluster import ControlPlane
    from provisioner_devcluster.node.namespaces import InnerProcess
    from provisioner_devcluster.node.sandbox import Sandbox

NAME = "node"

KUBELET_PORT = 10250
PROXY_HEALTH_PORT = 10256

# On the link to the node an answer takes a fraction of a millisecond.
ANSWER_TIMEOUT = 5

# A node is Ready two to four seconds after its start, much later on a machine that compiles on every core.
START_TIMEOUT = 120.0

STOP_TIMEOUT = 10.0


class Node:
    """A node of a control plane."""

    def __init__(self, sandbox: Sandbox, plane: ControlPlane) -> None:
        """Start the node and return when it accepts Pods."""
        self.name = NAME
        self._sandbox = sandbox
        self._plane = plane
        self._address = str(sandbox.addresses.node)
        self._kubelet_arguments = self._configure_kubelet()
        self._kubelet: InnerProcess | None = None
        self._proxy = sandbox.start("kube-proxy", sandbox.node_program, "kube-proxy", *self._configure_proxy())
        self.start_kubelet()
        self._await(self._proxy_lack)

    def stop_kubelet(self, *, kill: bool = True) -> None:
        """Stop kubelet, by default with SIGKILL; heartbeats stop, and the Pods keep running."""
        if self._kubelet is None:
            return
        if kill:
            self._kubelet.kill()
        else:
            self._kubelet.stop(STOP_TIMEOUT)
        self._kubelet = None

    def start_kubelet(self, *, wait: bool = True) -> None:
        """Start kubelet unless it runs already, and by default wait until the node is Ready."""
        if self._kubelet is None:
            self._kubelet = self._sandbox.start(
                "kubelet", self._sandbox.node_program, "kubelet", *self._kubelet_arguments
            )
        if wait:
            self._await(self._kubelet_lack)

    def _configure_kubelet(self) -> list[str]:
        place = self._sandbox.place
        certificate = self._plane.serving_certificate(self.name, [self._address])
        user = self._plane.kubeconfig_for(f"system:node:{self.name}", ["system:nodes"])
        config = kubelet_config(
            authority=place("pki/authority.crt", self._plane.authority.read_bytes()),
            certificate=place("pki/kubelet.crt", certificate.certificate.read_bytes()),
            key=place("pki/kubelet.key", certificate.key.read_bytes()),
            cgroup=self._sandbox.cgroup,
        )
        return kubelet_arguments(
            config=place("kubelet.yaml", config),
            kubeconfig=place("kubelet.kubeconfig", user.read_bytes()),
            name=self.name,
            address=self._sandbox.addresses.node,
        )

    def _configure_proxy(self) -> list[str]:
        user = self._plane.kubeconfig_for("system:kube-proxy")
        config = proxy_config(
            kubeconfig=self._sandbox.place("kube-proxy.kubeconfig", user.read_bytes()),
            name=self.name,
            pods=self._sandbox.addresses.pods,
        )
        return [f"--config={self._sandbox.place('kube-proxy.yaml', config)}"]

    def _kubelet_lack(self) -> str | None:
        if lack := self._plane.probe.node_ready(self.name):
            return lack
        try:
            # The Node may still be Ready from before kubelet was restarted.
            socket.create_connection((self._address, KUBELET_PORT), ANSWER_TIMEOUT).close()
        except OSError as error:
            return f"kubelet at {self._address}:{KUBELET_PORT} ({error})"
        return None

    def _proxy_lack(self) -> str | None:
        connection = http.client.HTTPConnection(self._address, PROXY_HEALTH_PORT, timeout=ANSWER_TIMEOUT)
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"kube-proxy at {self._address}:{PROXY_HEALTH_PORT} ({error})"
        finally:
            connection.close()
        return None if status == http.HTTPStatus.OK else f"kube-proxy's rules (/healthz returns {status})"

    def _await(self, missing: Callable[[], str | None]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        processes = [process for process in (self._kubelet, self._proxy) if process]
        while (lack := missing()) is not None:
            for process in processes:
                process.check()
            if time.monotonic() > deadline:
                logs = "\n".join(f"{process.log}:\n{tail(process.log)}" for process in processes)
                raise DevClusterError(
                    f"The node did not become ready in time; still missing: {lack}.\n{logs}\n"
                    "If the machine is busy, try again later. A firewall on this machine may also block the "
                    f"node, {self._address}, from the API server.",
                )
            time.sleep(POLL)
