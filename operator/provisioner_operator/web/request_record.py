"""A request as the log describes it: its id, and the user once that is known. Kept in the ASGI scope by the guard."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

_KEY = "provisioner.request"


@dataclass(slots=True)
class RequestRecord:
    """The id of a request and the name of its user; never a credential."""

    id: str = field(default_factory=lambda: str(uuid4()))
    """Sent back as `X-Request-Id`, and to the API server as the id of its own audit records."""
    user: str | None = None
    """Name of the user, as the API server authenticates it."""


def record_of(scope: MutableMapping[str, Any]) -> RequestRecord:
    """Return the record of a request, made when it is first asked for."""
    record = scope.setdefault(_KEY, RequestRecord())
    assert isinstance(record, RequestRecord)  # noqa: S101 - nobody else uses the key
    return record
