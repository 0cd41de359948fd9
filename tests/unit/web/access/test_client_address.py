"""The client's address: what trusted proxies tell, and nothing that a client can invent."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.access.client_address import client_address

PODS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
STRANGER = "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (STRANGER, [], STRANGER),
        (STRANGER, ["198.51.100.1"], STRANGER),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", [STRANGER], STRANGER),
        ("10.1.2.3", [f"198.51.100.1, {STRANGER}"], STRANGER),
        ("10.1.2.3", ["198.51.100.1", STRANGER], STRANGER),
        ("10.1.2.3", [f"{STRANGER}, 10.9.9.9"], STRANGER),
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", [f"{STRANGER}:4711"], STRANGER),
        ("10.1.2.3", ["[2001:db8::1]:80"], "2001:db8::1"),
        ("10.1.2.3", ["2001:DB8:0::1"], "2001:db8::1"),
        ("::ffff:10.1.2.3", [STRANGER], STRANGER),
        ("fd00::5", [f"::ffff:{STRANGER}"], STRANGER),
        ("10.1.2.3", [f"{STRANGER}, unknown"], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", ["1" * 5000], "10.1.2.3"),
        ("", [STRANGER], ""),
        ("/run/socket", [STRANGER], "/run/socket"),
    ],
)
def test_the_client_is_the_nearest_that_is_no_trusted_proxy(peer: str, forwarded: list[str], expected: str) -> None:
    assert client_address(peer, forwarded, PODS) == expected


def test_without_trusted_proxies_nothing_is_believed() -> None:
    assert client_address("10.1.2.3", [STRANGER], ()) == "10.1.2.3"


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_nothing_that_a_client_sends_changes_its_address(invented: str) -> None:
    assert client_address("10.1.2.3", [f"{invented}, {STRANGER}"], PODS) == STRANGER
