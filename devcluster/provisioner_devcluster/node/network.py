"""The cable between this machine and a node: a pair of virtual interfaces, and the route to the node's Pods.

Called by the machine of a node. The node reaches this machine and, as nothing of it is forwarded, nobody else. The
kernel takes the cable away with the node's namespaces.
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

# The node's end, as it is called on most machines.
NODE_INTERFACE = "eth0"

ANSWER_TIMEOUT = 20

OCCUPIED = "File exists"


class Cable:
    """A network between this machine and the namespaces of a node."""

    def __init__(self, ip: str, namespaces: Namespaces) -> None:
        """Lay the cable, on addresses that nobody uses.

        Args:
            ip: The program of iproute2.
            namespaces: Where the other end goes.
        """
        self._ip = ip
        self.addresses = self._take(namespaces)
        """Where the node is."""
        self.interface = _interface(self.addresses)
        """This machine's end."""
        try:
            self._configure(namespaces)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Take the cable away now, and not when the kernel gets round to it; harmless when it is gone."""
        command = [self._ip, "link", "delete", self.interface]
        subprocess.run(command, capture_output=True, check=False, timeout=ANSWER_TIMEOUT)

    def _take(self, namespaces: Namespaces) -> NodeAddresses:
        peer = ("peer", "name", NODE_INTERFACE, "netns", str(namespaces.pid))
        for addresses in free_addresses(self._taken()):
            try:
                self._run("link", "add", _interface(addresses), "type", "veth", *peer)
            except DevClusterError as error:
                # Two launchers may find the same network free; the kernel gives the interface of that name to one.
                if OCCUPIED not in str(error):
                    raise
            else:
                return addresses
        raise DevClusterError(
            f"No address for a node is free in {LINKS} and {PODS}; see `ip route`. "
            "Remove what uses them, or end other clusters with nodes.",
        )

    def _configure(self, namespaces: Namespaces) -> None:
        addresses, interface = self.addresses, self.interface
        self._run("address", "add", f"{addresses.host}/{addresses.link.prefixlen}", "dev", interface)
        self._run("link", "set", interface, "up")
        # Even where this machine forwards for others, as with Docker, nothing from the node gets further than here.
        Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding").write_text("0", encoding="utf-8")
        inside = [
            ("link", "set", "lo", "up"),
            ("address", "add", f"{addresses.node}/{addresses.link.prefixlen}", "dev", NODE_INTERFACE),
            ("link", "set", NODE_INTERFACE, "up"),
            ("route", "add", "default", "via", str(addresses.host)),
        ]
        for arguments in inside:
            namespaces.run(self._ip, *arguments)
        # The API server answers Pods by their own addresses: nobody translates them on the way.
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
                "A node needs the right to make network interfaces: run as root, in a container with NET_ADMIN.",
            )
        return done.stdout


def _interface(addresses: NodeAddresses) -> str:
    return f"devcluster{addresses.number}"
