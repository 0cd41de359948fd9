"""What `core.pools` decided becomes requests: one conditional write each. Called by `writer`, which paces and counts them.

A failed precondition is news: the object is read again, and the next look decides anew.
"""

from typing import Any

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.members import PoolPod, Trouble
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.pools import PoolMirror
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)

_CREATION_REFUSED = "FailedCreate"
"""As Kubernetes' own controllers call it."""


class PoolWrites:
    """The requests."""

    def __init__(self, client: KubeClient, observer: Observer, pools: PoolMirror) -> None:
        self._client = client
        self._observer = observer
        self._pools = pools

    async def carry_out(self, decision: PoolDecision) -> str:
        """Make the write and take in its answer; returns `ok`, or `conflict` if it came too late."""
        try:
            match decision:
                case CreatePod(pool, name):
                    return await self._create(decision, pool, name)
                case CordonDaemon(_, pod) | UncordonDaemon(_, pod):
                    path = paths.daemon(pod.namespace, pod.name)
                    self._observer.daemon(await self._client.json_patch(path, decision.patch()))
                case DeletePod(_, pod):
                    await self._client.delete(paths.pod(pod.namespace, pod.name), uid=pod.uid)
                    await self._read_pod(pod)
                case AddFinalizer(pool) | RemoveFinalizer(pool):
                    path = paths.pool(pool.namespace, pool.name)
                    self._observer.pool(await self._client.json_patch(path, decision.patch()))
                case UpdatePoolStatus(pool):
                    path = paths.pool_status(pool.namespace, pool.name)
                    self._observer.pool(await self._client.json_patch(path, decision.patch()))
        except (PreconditionFailedError, ConflictError, NotFoundError):
            await self._read(decision)
            return "conflict"
        return "ok"

    async def _create(self, decision: CreatePod, pool: Pool, name: str) -> str:
        result = "ok"
        try:
            body = await self._client.create(paths.pods(pool.namespace), decision.body())
        except ConflictError:  # of an earlier request, whose answer was lost
            body, result = await self._client.get(paths.pod(pool.namespace, name)), "conflict"
        except (ForbiddenError, InvalidError) as error:
            trouble = Trouble(_CREATION_REFUSED, f"Pods are refused: {error}")
            self._pools.refused(pool.uid, name, trouble, clock.read())
            return "refused"
        self._observer.pod(body)
        self._pools.created(pool.uid, name)
        return result

    async def _read(self, decision: PoolDecision) -> None:
        """Learn what is true of what the decision was about."""
        match decision:
            case CordonDaemon(_, pod, daemon) | UncordonDaemon(_, pod, daemon):
                body = await self._found(paths.daemon(pod.namespace, pod.name), daemon.uid)
                if body is None:
                    self._observer.daemon_deleted(daemon.uid)
                else:
                    self._observer.daemon(body)
            case DeletePod(_, pod):
                await self._read_pod(pod)
            case _:
                pool = decision.pool
                body = await self._found(paths.pool(pool.namespace, pool.name), pool.uid)
                if body is None:
                    self._observer.pool_deleted(pool.uid)
                else:
                    self._observer.pool(body)

    async def _read_pod(self, pod: PoolPod) -> None:
        body = await self._found(paths.pod(pod.namespace, pod.name), pod.uid)
        if body is not None:
            self._observer.pod(body)
        # Of one that is gone the watch tells, with its last version, from which its daemon's end is known.

    async def _found(self, path: str, uid: str) -> dict[str, Any] | None:
        try:
            body = await self._client.get(path)
        except NotFoundError:
            return None
        return body if body["metadata"]["uid"] == uid else None
