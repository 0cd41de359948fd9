"""Carry out decisions about pools and their Pods: one conditional write each."""

from typing import Any

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import Result
from provisioner_operator.controller.writes.executor import has_moved_on, read_fresh, with_effect
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    DeletePod,
    FindPods,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.members import PoolPod
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.job_cache import JobCache
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.selectors import DAEMON_PODS


class PoolExecutor:
    """Executor of decisions about pools, their Pods, and cordons of their daemons."""

    def __init__(self, client: KubeClient, observer: Observer, jobs: JobCache, pools: PoolReconciler) -> None:
        self._client = client
        self._observer = observer
        self._jobs = jobs
        self._pools = pools

    async def execute(self, decision: PoolDecision) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        pool = decision.pool
        match decision:
            case FindPods():
                await self._find_pods(pool.namespace)
            case CreatePod():
                return await self._create(decision)
            case CordonDaemon(_, pod) | UncordonDaemon(_, pod):
                path = paths.daemon(pod.namespace, pod.name)
                self._observer.daemon(await self._client.json_patch(path, decision.patch()))
            case DeletePod(_, pod, grace_seconds):
                path = paths.pod(pod.namespace, pod.name)
                await self._client.delete(path, uid=pod.uid, grace_seconds=grace_seconds)
                await self._read_pod(pod)
            case AddFinalizer() | RemoveFinalizer():
                path = paths.pool(pool.namespace, pool.name)
                self._observer.pool(await self._client.json_patch(path, decision.patch()))
            case UpdatePoolStatus():
                path = paths.pool_status(pool.namespace, pool.name)
                body = await self._client.json_patch(path, decision.patch())
                self._observer.pool(with_effect(body, pool.resource_version))
        return Result.OK

    async def is_news(self, decision: PoolDecision) -> bool:
        """Read the object of the decision; return whether the precondition no longer holds. Raises KubeError."""
        match decision:
            case CordonDaemon(_, pod, daemon) | UncordonDaemon(_, pod, daemon):
                body = await read_fresh(
                    self._client,
                    paths.daemon(pod.namespace, pod.name),
                    daemon.uid,
                    observe=self._observer.daemon,
                    gone=self._observer.daemon_deleted,
                )
                return has_moved_on(body, decision.patch())
            case DeletePod(_, pod):
                return await self._read_pod(pod) is None
            case CreatePod(pool) | FindPods(pool):
                return await self._read_pool(pool) is None
            case _:
                pool = decision.pool
                return has_moved_on(await self._read_pool(pool), decision.patch(), pool.resource_version)

    async def _find_pods(self, namespace: str) -> None:
        """List and observe the Pods of daemons, and forget those that are missing."""
        # The known ones before the list, so that one that is created meanwhile does not count as deleted.
        uids = self._jobs.pod_uids() | self._pools.pod_uids()
        known = {uid for uid, where in uids.items() if where == namespace}
        async for page in self._client.list_pages(paths.pods(namespace), label_selector=DAEMON_PODS):
            for body in page["items"]:
                known.discard(object_meta(body).uid)
                self._observer.pod(body)
        for uid in known:
            self._observer.pod_deleted(uid, namespace)
        self._pools.pods_found(namespace)

    async def _create(self, decision: CreatePod) -> Result:
        pool, name, result = decision.pool, decision.name, Result.OK
        try:
            body = await self._client.create(paths.pods(pool.namespace), decision.body())
        except AlreadyExistsError:
            # Created by an earlier request whose answer was lost. If it is somebody else's, the next plan chooses another name.
            body, result = await self._client.get(paths.pod(pool.namespace, name)), Result.CONFLICT
        # Observed before it counts as created: a plan in between would find one too few, and create another.
        self._observer.pod(body)
        self._pools.created(pool.uid, name)
        return result

    async def _read_pool(self, pool: Pool) -> dict[str, Any] | None:
        return await read_fresh(
            self._client,
            paths.pool(pool.namespace, pool.name),
            pool.uid,
            observe=self._observer.pool,
            gone=self._observer.pool_deleted,
        )

    async def _read_pod(self, pod: PoolPod) -> dict[str, Any] | None:
        # Only the pool learns of the deletion here, so that it does not repeat it. The job cache needs the Pod's last
        # version, which shows how its containers ended, and gets that from the watch.
        return await read_fresh(
            self._client,
            paths.pod(pod.namespace, pod.name),
            pod.uid,
            observe=self._observer.pod,
            gone=self._pools.pod_deleted,
        )
