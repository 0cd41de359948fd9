"""Link between the host and a node: a pair of virtual interfaces, and the route to the node's Pods.

Called by the sandbox. The node reaches only the host, which forwards none of its traffic. The kernel removes the link
with the node's namespaces.
"""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.addresses import LINKS, PODS, free_addresses

if TYPE_CHECKING:
    from provisioner_devcluster.node.addresses import NodeAddresses
    from provisioner_devcluster.node.namespaces import Namespaces

# Name of the node's end.
NODE_INTERFACE = "eth0"

ANSWER_TIMEOUT = 20

OCCUPIED = "File exists"


class Link:
    """Network link between the host and the namespaces of a node."""

    def __init__(self, ip: str, namespaces: Namespaces) -> None:
        """Create the link with free addresses.

        Args:
            ip: The executable of iproute2.
            namespaces: The namespaces for the node's end.
        """
        self._ip = ip
        self.addresses = self._take(namespaces)
        """Addresses of both ends and of the Pods."""
        self.interface = _interface(self.addresses)
        """Name of the host's end."""
        try:
            self._configure(namespaces)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the link now, since the kernel removes it only some time after the namespaces; a second call does nothing."""
        command = [self._ip, "link", "delete", self.interface]
        subprocess.run(command, capture_output=True, check=False, timeout=ANSWER_TIMEOUT)

    def _take(self, namespaces: Namespaces) -> NodeAddresses:
        peer = ("peer", "name", NODE_INTERFACE, "netns", str(namespaces.pid))
        for addresses in free_addresses(self._taken()):
            try:
                self._run("link", "add", _interface(addresses), "type", "veth", *peer)
            except DevClusterError as error:
                # Two launchers may choose the same network; the kernel lets only one create the interface of that name.
                if OCCUPIED not in str(error):
                    raise
            else:
                return addresses
        raise DevClusterError(
            f"All addresses for nodes in {LINKS} and {PODS} are in use; see `ip route`. "
            "Remove those routes, or stop other clusters with nodes.",
        )

    def _configure(self, namespaces: Namespaces) -> None:
        addresses, interface = self.addresses, self.interface
        self._run("address", "add", f"{addresses.host}/{addresses.link.prefixlen}", "dev", interface)
        self._run("link", "set", interface, "up")
        # Even if the host forwards other traffic, as with Docker, it must not forward the node's.
        Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").write_text("0", encoding="utf-8")
        inside = [
            ("link", "set", "lo", "up"),
            ("address", "add", f"{addresses.node}/{addresses.link.prefixlen}", "dev", NODE_INTERFACE),
            ("link", "set", NODE_INTERFACE, "up"),
            ("route", "add", "default", "via", str(addresses.host)),
        ]
        for arguments in inside:
            namespaces.run(self._ip, *arguments)
        # The API server sees the Pods' own addresses, because there is no NAT, and needs a route to answer.
        self._run("route", "add", str(addresses.pods), "via", str(addresses.node))
        namespaces.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def _taken(self) -> list[IPv4Network]:
        routes = json.loads(self._run("-4", "-json", "route", "show", "table", "all"))
        return [IPv4Network(route["dst"]) for route in routes if route["dst"] != "default"]

    def _run(self, *arguments: str) -> str:
        command = [self._ip, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_TIMEOUT)
        if done.returncode != 0:
            raise DevClusterError(
                f"`{' '.join(command)}` failed: {done.stderr.strip()}\n"
                "A node needs permission to create network interfaces: run as root, in a container with NET_ADMIN.",
            )
        return done.stdout


def _interface(addresses: NodeAddresses) -> str:
    return f"devcluster{addresses.number}"
