"""Tell failures of `init` that may pass by themselves, and how long to wait before the next try. Pure; used by `provisioner`.

Only `init` is tried again: it downloads providers and modules and changes nothing. What comes after it may have changed
something, so it is never repeated.
"""

import re
from collections.abc import Sequence

from provisioner_operator.daemon.terraform.output import Diagnostic

PAUSES_SECONDS = (5.0, 20.0)
"""The pause before each further try: a registry that is being restarted is back by then, and a typo in a host fails soon."""

_PASSING = re.compile(
    # the network, as Go, git and curl name it
    r"no such host|could not resolve host|name resolution|server misbehaving"
    r"|connection (refused|reset|timed out)|network is unreachable|no route to host|broken pipe"
    r"|i/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout|timeout awaiting|operation timed out"
    r"|unexpected EOF|early EOF|: EOF\b|hung up unexpectedly|RPC failed"
    # the server, as Terraform, its downloads and git name it
    r"|\b(429 Too Many Requests|500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b"
    r"|(bad response code|returned error|status code|response code):? (429|50[0234])\b",
    re.IGNORECASE,
)


def may_pass(errors: Sequence[Diagnostic]) -> bool:
    """Return whether all errors of a failed `init` are of the network or of a server, so that another try may succeed."""
    return bool(errors) and all(_PASSING.search(f"{error.summary}\n{_unwrapped(error.detail)}") for error in errors)


def _unwrapped(detail: str) -> str:
    """Return the detail without the line breaks that a program has put into it."""
    return " ".join(detail.split())
