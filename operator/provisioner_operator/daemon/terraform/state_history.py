"""Keep the state of a workspace as a version, before and after a run; remove the versions with a destroyed workspace.

Used by `provisioner`, for states in Secrets. Whatever fails here is a line in the run's log, and fails no run. Nothing is locked: a
version is the state as it was at one moment, and the Secret of the versions changes only as it was read.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from provisioner_operator.api.v1alpha1.names import state_versions_name
from provisioner_operator.core.states.file import StateFile, UnreadableStateError, read_state, unpack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.core.states.versions import StateHistory, with_version
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError, KubeError, NotFoundError
from provisioner_operator.kube.object_states import meta_of
from provisioner_operator.kube.state_histories import history_body, history_changes, history_of, packed_state

REQUEST_SECONDS = 20.0
"""Time for all tries of one version: the job's start, or its end, waits for them."""

logger = logging.getLogger(__name__)

Body = dict[str, Any]


class Client(Protocol):
    """The part of the API server's client that versions need."""

    async def get(self, path: str, /) -> Body:
        """Read one object."""

    async def create(self, path: str, body: Mapping[str, Any], /) -> Body:
        """Create an object."""

    async def merge_patch(self, path: str, body: Mapping[str, Any], /) -> Body:
        """Change an object."""

    async def delete(self, path: str, /, *, uid: str, resource_version: int | None = None) -> Body | None:
        """Delete an object."""


class StateVersions:
    """The versions of one workspace's state, as one run of it keeps them."""

    def __init__(self, client: Client, *, namespace: str, workspace: str, job: str) -> None:
        self._client = client
        self._namespace = namespace
        self._workspace = workspace
        self._job = job
        self._path = paths.secret(namespace, state_versions_name(workspace))

    async def keep(self, when: str) -> Sequence[str]:
        """Keep the present state as a version unless it is the newest one; return lines for the log."""
        return await self._attempt(lambda: self._keep(f"{when} {self._job}"))

    async def end(self) -> Sequence[str]:
        """Remove all versions if a destroy has left no resources; otherwise keep the state. Return lines for the log."""
        return await self._attempt(self._end)

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> Sequence[str]:
        try:
            # A conflict is another writer: what it wrote is read, and counts.
            await until_answered(work, also=(ConflictError,), seconds=REQUEST_SECONDS)
        except (KubeError, UnreadableStateError) as error:
            logger.warning("No version of the state of %s/%s: %s", self._namespace, self._workspace, error)
            return (f"This state is not kept as a version: {error}.",)
        return ()

    async def _keep(self, origin: str) -> None:
        packed = await self._packed()
        if packed is None:
            return
        body = await self._existing(self._path)
        history = StateHistory() if body is None else await asyncio.to_thread(history_of, body)
        after = await asyncio.to_thread(_add, history, packed, origin)
        if after is history:
            return
        if body is None:
            await self._client.create(paths.secrets(self._namespace), history_body(self._workspace, after))
        else:
            version = meta_of(body).resource_version
            changes = {"metadata": {"resourceVersion": version}, "data": history_changes(history, after)}
            await self._client.merge_patch(self._path, changes)

    async def _end(self) -> None:
        packed = await self._packed()
        if packed is not None and (await asyncio.to_thread(_read, packed)).resources:
            await self._keep(f"after {self._job}")
            return
        body = await self._existing(self._path)
        if body is not None:
            history_of(body)  # raises if it is a Secret of another purpose
            meta = meta_of(body)
            await self._client.delete(self._path, uid=meta.uid, resource_version=int(meta.resource_version))

    async def _packed(self) -> bytes | None:
        body = await self._existing(paths.secret(self._namespace, state_secret(self._workspace)))
        return None if body is None else packed_state(body)

    async def _existing(self, path: str) -> Body | None:
        try:
            return await self._client.get(path)
        except NotFoundError:
            return None


def _read(packed: bytes) -> StateFile:
    return read_state(unpack(packed))


def _add(history: StateHistory, packed: bytes, origin: str) -> StateHistory:
    return with_version(history, _read(packed), packed, origin=origin, now=time.time())
