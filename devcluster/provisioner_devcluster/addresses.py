"""Which addresses a node gets: of the ranges that are set aside for tests of networks, so that nobody's network is hidden.

Called by the node's network. Pure: takes what is in use, returns what is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import TYPE_CHECKING

from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from collections.abc import Collection

# 198.18.0.0/15 is reserved for benchmarks of network devices (RFC 2544): no machine that works has an address there.
LINKS = IPv4Network("198.18.0.0/16")
PODS = IPv4Network("198.19.0.0/16")

# Two addresses: the machine's end of the cable and the node's.
LINK_PREFIX = 30

# As many Pods as a kubelet runs (110), and then some that are just ending.
PODS_PREFIX = 24


@dataclass(frozen=True, slots=True)
class NodeAddresses:
    """Where a node is, seen from this machine."""

    number: int
    """Which of the nodes on this machine it is."""
    link: IPv4Network
    """The network of the cable between this machine and the node."""
    pods: IPv4Network
    """The network of the node's Pods."""

    @property
    def host(self) -> IPv4Address:
        """This machine's own address on the cable."""
        return self.link[1]

    @property
    def node(self) -> IPv4Address:
        """The node's address on the cable."""
        return self.link[2]


def free_addresses(taken: Collection[IPv4Network]) -> NodeAddresses:
    """Return the first addresses that overlap with nothing in use."""
    pods = list(PODS.subnets(new_prefix=PODS_PREFIX))
    # Links are spread as far apart as Pod networks, so that both have the node's number in the same place.
    links = (IPv4Network((int(LINKS[0]) + number * 256, LINK_PREFIX)) for number in range(len(pods)))
    candidates = (NodeAddresses(number, *pair) for number, pair in enumerate(zip(links, pods, strict=True)))
    free = (
        each for each in candidates if not any(used.overlaps(each.link) or used.overlaps(each.pods) for used in taken)
    )
    for addresses in islice(free, 1):
        return addresses
    raise DevClusterError(
        f"No address for a node is free in {LINKS} and {PODS}; see `ip route`. "
        "Remove what uses them, or end other clusters with nodes.",
    )
