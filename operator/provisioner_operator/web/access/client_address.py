"""Address of the client who sends a request, behind proxies that are trusted to tell it. Pure; limits count by it."""

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
_WITH_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
_LONGEST = 64


def client_address(peer: str, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """Return the address nearest to the server that is no trusted proxy's.

    Args:
        peer: The address that is connected.
        forwarded: The headers X-Forwarded-For. Each proxy adds the address that is connected to it at the end; what
            stands before that of the first one that is not trusted may be anybody's invention.
        trusted: Networks of proxies that are believed.
    """
    client = _parse(peer)
    if client is None:
        return peer
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while hops and any(client in network for network in trusted):
        before = _parse(hops.pop())
        if before is None:
            break
        client = before
    return str(client)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, without a port that some proxies add; that of IPv4 also where the socket is of IPv6."""
    match = _WITH_PORT.fullmatch(text)
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text if match is None else match["six"] or match["four"])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
