"""Addresses of a node, from ranges that are reserved for network tests, so that no real network becomes unreachable.

Called by the node's network. Pure: takes the networks in use, returns free addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# 198.18.0.0/15 is reserved for benchmarks of network devices (RFC 2544), so no real host has such an address.
LINKS = IPv4Network("198.18.0.0/16")
PODS = IPv4Network("198.19.0.0/16")

# Two addresses: the host's end of the link and the node's.
LINK_PREFIX = 30

# Enough for the 110 Pods of a kubelet, and for more that are terminating.
PODS_PREFIX = 24


@dataclass(frozen=True, slots=True)
class NodeAddresses:
    """Network addresses of a node."""

    number: int
    """Number of the node on this host."""
    link: IPv4Network
    """The network of the link between the host and the node."""
    pods: IPv4Network
    """The network of the node's Pods."""

    @property
    def host(self) -> IPv4Address:
        """The host's address on the link."""
        return self.link[1]

    @property
    def node(self) -> IPv4Address:
        """The node's address on the link."""
        return self.link[2]


def free_addresses(taken: Collection[IPv4Network]) -> Iterator[NodeAddresses]:
    """Return addresses that do not overlap with a network in use."""
    for number, pods in enumerate(PODS.subnets(new_prefix=PODS_PREFIX)):
        # Spaced like the networks of Pods, so that the node's number is the same byte in both.
        link = IPv4Network((int(LINKS[0]) + number * pods.num_addresses, LINK_PREFIX))
        if not any(used.overlaps(link) or used.overlaps(pods) for used in taken):
            yield NodeAddresses(number, link, pods)
