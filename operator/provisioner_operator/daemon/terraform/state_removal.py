"""Remove the state of a destroyed workspace, with its lock, if nothing is left in it. Used by `run_lock`, which holds the lock.

Each deletion depends on what was read: a state that was written meanwhile is kept. The lock goes first, so that a daemon that
dies in between leaves an empty state, which does no harm, and no lock.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from provisioner_operator.core.states.lock import StateLock, lock_lease, state_secret
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ApiError, NotFoundError
from provisioner_operator.kube.object_states import meta_of

LARGEST_EMPTY = 1024 * 1024
"""Bytes of JSON beyond which a state is not looked into: an empty one is far smaller."""
_GZIP = 31
"""The window size by which zlib is told to expect a gzip header."""


class Client(Protocol):
    """The part of the API server's client that a removal needs."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""

    async def delete(self, path: str, /, *, uid: str, resource_version: int | None = None) -> dict[str, Any] | None:
        """Delete an object."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Result of an attempt to remove a state."""

    lines: tuple[str, ...]
    lock_is_gone: bool


async def remove_state(client: Client, *, namespace: str, workspace: str, lock: StateLock) -> Removal:
    """Delete the Lease and the Secret of an empty state. Raises KubeError; what is left then does no harm."""
    name = state_secret(workspace)
    path = paths.secret(namespace, name)
    try:
        secret = await client.get(path)
    except NotFoundError:
        secret = None
    if secret is not None and not is_empty(secret):
        kept = f"The state (Secret {name}) is kept: it still has resources, or cannot be read."
        return Removal((kept,), lock_is_gone=False)
    lease = paths.lease(namespace, lock_lease(workspace))
    await client.delete(lease, uid=lock.uid, resource_version=int(lock.resource_version))
    if secret is None:
        return Removal((), lock_is_gone=True)
    meta = meta_of(secret)
    try:
        await client.delete(path, uid=meta.uid, resource_version=int(meta.resource_version))
    except ApiError as error:
        kept = f"The state is empty, but its Secret {name} could not be removed: {error}."
        return Removal((kept,), lock_is_gone=True)
    return Removal((f"The state is empty: its Secret {name} and its lock were removed.",), lock_is_gone=True)


def is_empty(secret: Mapping[str, Any]) -> bool:
    """Return whether the Secret certainly holds a state without resources; an encrypted one cannot be read."""
    try:
        packed = base64.b64decode((secret.get("data") or {})["tfstate"], validate=True)
        text = zlib.decompressobj(_GZIP).decompress(packed, LARGEST_EMPTY)
        state = json.loads(text)
    except (LookupError, TypeError, ValueError, binascii.Error, zlib.error):
        return False
    return isinstance(state, dict) and state.get("version") == 4 and state.get("resources") == []  # noqa: PLR2004
