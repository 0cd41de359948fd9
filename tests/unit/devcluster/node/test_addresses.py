"""A node gets addresses that no other network uses."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network

from provisioner_devcluster.node.addresses import LINKS, PODS, free_addresses


def networks(*written: str) -> list[IPv4Network]:
    return [IPv4Network(each) for each in written]


def test_the_first_node_of_a_machine_gets_the_first_addresses() -> None:
    first = next(free_addresses(networks("192.168.1.0/24", "10.0.0.0/8")))
    assert (str(first.host), str(first.node), str(first.pods)) == ("198.18.0.1", "198.18.0.2", "198.19.0.0/24")


def test_networks_in_use_are_skipped_for_links_and_for_pods() -> None:
    numbers = [each.number for each in free_addresses(networks("198.18.0.0/30", "198.19.1.7/32", "198.18.3.0/24"))]
    assert numbers[:3] == [2, 4, 5]


def test_no_two_nodes_overlap() -> None:
    everybody = list(free_addresses([]))
    ranges = sorted(network for each in everybody for network in (each.link, each.pods))
    assert len(everybody) == 256
    assert not [pair for pair in itertools.pairwise(ranges) if pair[0].overlaps(pair[1])]


def test_all_addresses_are_from_the_ranges_for_tests() -> None:
    for each in free_addresses([]):
        assert each.link.subnet_of(LINKS)
        assert each.pods.subnet_of(PODS)


def test_no_address_is_free_when_all_are_in_use() -> None:
    assert not list(free_addresses(networks("198.16.0.0/12")))
