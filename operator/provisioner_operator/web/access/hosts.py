"""Names under which the server may be reached, and origins of browsers' requests. Pure.

A page of another site may let a browser send requests here, even under a name of its own that it resolves to this
server's address (DNS rebinding). So the name has to be one of ours, and the origin has to be the same.
"""

import re
from collections.abc import Collection

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_NAME_AND_PORT = r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?"
_HOST = re.compile(_NAME_AND_PORT, re.ASCII)
_ORIGIN = re.compile(rf"(?P<scheme>https?)://{_NAME_AND_PORT}", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def host_name(host: str) -> str | None:
    """Return the name in a header `Host`, in lower case and without the port; None if it is malformed."""
    match = _HOST.fullmatch(host)
    return match["name"].lower() if match else None


def is_loopback(host: str) -> bool:
    """Return whether a header `Host` names this machine's loopback, by a name that browsers ask no DNS for (RFC 6761)."""
    name = host_name(host)
    return name is not None and (name in _LOOPBACK or name.endswith(".localhost"))


def root_address(host: str) -> str:
    """Return the address of this server for a header `Host`: TLS is a must, except on loopback.

    The scheme of a request does not tell, since TLS may end at a proxy.
    """
    return f"{'http' if is_loopback(host) else 'https'}://{host}"


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Return whether a header `Host` is one of ours: loopback or one of `allowed`, in lower case."""
    name = host_name(host)
    return name is not None and (name in _LOOPBACK or name in allowed)


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether a header `Origin` is that of the page of `host`: same name, same port, and TLS unless loopback."""
    theirs, ours = _ORIGIN.fullmatch(origin), _HOST.fullmatch(host)
    if theirs is None or ours is None or (theirs["scheme"] != "https" and not is_loopback(host)):
        return False
    default = _DEFAULT_PORTS[theirs["scheme"]]
    return (theirs["name"].lower(), theirs["port"] or default) == (ours["name"].lower(), ours["port"] or default)
