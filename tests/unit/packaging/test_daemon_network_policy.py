"""The policy for the network of daemons: metadata services are out of reach, all else is not."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from provisioner_operator.api.v1alpha1.names import DAEMON_POD_LABEL
from support.manifests import MANIFESTS

POLICY = yaml.safe_load((MANIFESTS / "components/daemon-network-policy/metadata.yaml").read_text("utf-8"))
HTTP = 80
METADATA = (
    "169.254.169.254",
    "169.254.169.252",
    "169.254.170.2",
    "169.254.170.23",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
)
OTHERS = ("10.0.0.1", "100.100.100.201", "168.63.129.17", "192.0.2.1", "2001:db8::1", "fd00::1")


def may_reach(address: str, port: int) -> bool:
    """Tell whether the policy lets a daemon reach an address that is no Pod's, by TCP."""
    return any(_matches(rule, address, port) for rule in POLICY["spec"]["egress"])


def _matches(rule: Any, address: str, port: int) -> bool:
    ports = [each["port"] for each in rule.get("ports", []) if each["protocol"] == "TCP"]
    if "ports" in rule and port not in ports:
        return False
    blocks = [each["ipBlock"] for each in rule.get("to", []) if "ipBlock" in each]
    return "to" not in rule or any(_holds(block, address) for block in blocks)


def _holds(block: Any, address: str) -> bool:
    inside = ip_address(address) in ip_network(block["cidr"])
    return inside and not any(ip_address(address) in ip_network(each) for each in block["except"])


@pytest.mark.parametrize("address", METADATA)
def test_no_metadata_service_is_reached(address: str) -> None:
    assert not any(may_reach(address, port) for port in (HTTP, 988, 8080))


@pytest.mark.parametrize("address", OTHERS)
def test_everything_else_is(address: str) -> None:
    assert may_reach(address, HTTP)


@pytest.mark.parametrize("address", ["169.254.20.10", "169.254.169.253"])
def test_name_servers_are_reached_even_at_link_local_addresses(address: str) -> None:
    assert may_reach(address, 53)
    assert not may_reach(address, HTTP)


def test_it_is_for_daemons_alone_and_says_nothing_about_who_reaches_them() -> None:
    assert POLICY["spec"]["podSelector"] == {"matchLabels": {DAEMON_POD_LABEL: "true"}}
    assert POLICY["spec"]["policyTypes"] == ["Egress"]
