"""Which addresses a node gets: of the ranges that are set aside for tests of networks, so that nobody's network is hidden.

Called by the node's network. Pure: takes what is in use, returns what is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

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


def free_addresses(taken: Collection[IPv4Network]) -> Iterator[NodeAddresses]:
    """Return the addresses that overlap with nothing in use."""
    for number, pods in enumerate(PODS.subnets(new_prefix=PODS_PREFIX)):
        # As far apart as the networks of Pods, so that both have the node's number in the same place.
        link = IPv4Network((int(LINKS[0]) + number * pods.num_addresses, LINK_PREFIX))
        if not any(used.overlaps(link) or used.overlaps(pods) for used in taken):
            yield NodeAddresses(number, link, pods)
