"""Keep in Secrets, in chunks, a state that cannot be pushed: it survives the daemon's Pod.

The first chunk is written last and deleted first, so that it stands for the whole. Secrets, since a state may hold what is
secret; the names are those that the policy for daemons permits.
"""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from provisioner_operator.daemon.execution.unsaved_state import RunRecord, record_as_json, record_from_json
from provisioner_operator.daemon.terraform.state import secret_suffix
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError, NotFoundError

CHUNK_BYTES = 512 * 1024
"""A Secret holds 1 MiB, and etcd's requests 1.5 MiB, in base64 if Secrets are encrypted at rest by a plugin."""


class SecretStore(Protocol):
    """The part of the client that keeping states needs."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""

    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Create an object."""

    async def merge_patch(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Change an object."""

    async def delete(self, path: str, /, *, uid: str) -> dict[str, Any] | None:
        """Delete the object of that uid."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """A state in Secrets."""

    run: RunRecord
    content: bytes
    chunks: int


class TakenError(Exception):
    """The Secrets hold the state of another run, which must not be replaced; the message says what to do."""


class DamagedError(Exception):
    """The Secrets do not hold a whole state; the message says what to do."""


def chunk_name(workspace: str, number: int) -> str:
    """Return the name of a chunk's Secret."""
    return f"unsaved-tfstate-default-{secret_suffix(workspace)}-{number}"


async def keep(store: SecretStore, run: RunRecord, content: bytes) -> int:
    """Write the state and return the number of its Secrets. Raises KubeError, TakenError."""
    packed = gzip.compress(content, mtime=0)
    chunks = [packed[at : at + CHUNK_BYTES] for at in range(0, len(packed), CHUNK_BYTES)]
    if (taken := await _first_chunk(store, run.namespace, run.workspace)) is not None:
        holder = record_from_json(_value(taken, "run"))
        if holder.job_uid != run.job_uid:
            raise TakenError(
                f"Secret {chunk_name(run.workspace, 0)} holds the state that job {holder.job} could not save. Save that first."
            )
    head = {
        "run": record_as_json(run),
        "chunks": str(len(chunks)).encode(),
        "sha256": hashlib.sha256(packed).hexdigest().encode(),
    }
    for number in reversed(range(len(chunks))):
        data = {"state": chunks[number]} | (head if number == 0 else {})
        await _put(store, run.namespace, chunk_name(run.workspace, number), data)
    return len(chunks)


async def read_kept(store: SecretStore, namespace: str, workspace: str) -> KeptState | None:
    """Return the state that is kept of the workspace. Raises KubeError, DamagedError."""
    if (first := await _first_chunk(store, namespace, workspace)) is None:
        return None
    try:
        chunks = int(_value(first, "chunks"))
        names = [chunk_name(workspace, number) for number in range(1, chunks)]
        others = [await store.get(paths.secret(namespace, name)) for name in names]
        packed = b"".join(_value(each, "state") for each in (first, *others))
        if hashlib.sha256(packed).hexdigest().encode() != _value(first, "sha256"):
            raise ValueError("its digest is another")  # noqa: TRY301 - one message for all of them
        return KeptState(record_from_json(_value(first, "run")), gzip.decompress(packed), chunks)
    except (LookupError, ValueError, EOFError, OSError, NotFoundError) as error:
        raise DamagedError(
            f"The state that is kept in the Secrets {chunk_name(workspace, 0)} and following is damaged ({error}). Restore them, or "
            f"delete the first one to give that state up: its resources are then managed by nobody."
        ) from error


async def discard(store: SecretStore, kept: KeptState) -> None:
    """Delete the Secrets of a state that is saved."""
    for number in range(kept.chunks):
        path = paths.secret(kept.run.namespace, chunk_name(kept.run.workspace, number))
        try:
            await store.delete(path, uid=(await store.get(path))["metadata"]["uid"])
        except (NotFoundError, ConflictError):
            continue


async def _first_chunk(store: SecretStore, namespace: str, workspace: str) -> dict[str, Any] | None:
    try:
        return await store.get(paths.secret(namespace, chunk_name(workspace, 0)))
    except NotFoundError:
        return None


async def _put(store: SecretStore, namespace: str, name: str, data: Mapping[str, bytes]) -> None:
    content = {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque"}
    try:
        await store.create(paths.secrets(namespace), secret | content)
    except ConflictError:  # of an attempt that did not come to its end
        await store.merge_patch(paths.secret(namespace, name), content)


def _value(secret: Mapping[str, Any], key: str) -> bytes:
    return base64.b64decode(secret["data"][key])
