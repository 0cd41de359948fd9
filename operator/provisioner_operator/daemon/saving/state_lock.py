"""Read and release the lock of a state as Terraform's kubernetes backend keeps it in a Lease. Pure; used by `pusher`."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioner_operator.core.model.json_patch import JsonPatch

CLOCK_TOLERANCE_SECONDS = 1.0
"""Terraform and the file system take the time from the same clock, but not with the same precision."""
_INFO = "app.terraform.io/lock-info"


@dataclass(frozen=True, slots=True)
class StateLock:
    """A lock that is held."""

    id: str
    who: str = "somebody"
    """User and host, as `user@host`."""
    created: float | None = None

    def is_of_run(self, started: float, ended: float, host: str | None = None) -> bool:
        """Return whether a run took the lock that ran on this host from `started` to `ended`."""
        if self.created is None or self.who.rpartition("@")[2] != (host or socket.gethostname()):
            return False
        return started - CLOCK_TOLERANCE_SECONDS <= self.created <= ended + CLOCK_TOLERANCE_SECONDS

    def release(self) -> JsonPatch:
        """Return the write that releases this lock, as Terraform itself would, and no later one."""
        annotation = _INFO.replace("/", "~1")
        return JsonPatch(
            tests=(("/spec/holderIdentity", self.id),),
            sets=(),
            removes=("/spec/holderIdentity", f"/metadata/annotations/{annotation}"),
        )


def lock_in(lease: Mapping[str, Any]) -> StateLock | None:
    """Return the lock that a Lease shows; None if nobody holds it."""
    holder = (lease.get("spec") or {}).get("holderIdentity")
    if not holder:
        return None
    try:
        info = json.loads(lease["metadata"]["annotations"][_INFO])
        return StateLock(holder, str(info["Who"]), datetime.fromisoformat(info["Created"]).timestamp())
    except (LookupError, TypeError, ValueError):
        return StateLock(holder)
