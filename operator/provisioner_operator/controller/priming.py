"""Lists: all that lives before the first decision, and now and then what a watch may have missed.

A watch that had to begin anew does not tell what was deleted in between, and ended jobs are not watched at all. A slow
resync sweeps the first and looks through the second for jobs that are to be deleted. Who only stands by lists as well, so
that its mirror is as good, and is tidied where deciding would.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provisioner_operator.api.enums import Phase
from provisioner_operator.api.names import DAEMON_POD_LABEL
from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writer import Departed, Writer
from provisioner_operator.core.lifecycle import TERMINAL
from provisioner_operator.core.mirror import Mirror
from provisioner_operator.core.pool_mirror import PoolMirror
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError, UnreachableError

_logger = logging.getLogger(__name__)

LIVE_JOBS = ",".join(f"status.phase!={phase}" for phase in Phase if phase in TERMINAL)
"""The field selector of jobs that have not ended."""
DAEMON_PODS = f"{DAEMON_POD_LABEL}=true"
"""The label selector of Pods that are daemons."""
RESYNC_SECONDS = 600.0


class Lister:
    """Reads whole collections of the namespaces that are served."""

    def __init__(
        self,
        client: KubeClient,
        observer: Observer,
        mirror: Mirror,
        pools: PoolMirror,
        writer: Writer,
        namespaces: Iterable[str],
    ) -> None:
        self._client = client
        self._observer = observer
        self._mirror = mirror
        self._pools = pools
        self._writer = writer
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)

    async def prime(self) -> None:
        """Learn all pools, live jobs, daemons' Pods and daemons; jobs first, so that a daemon's report finds those it lists."""
        known_jobs, known_daemons = self._mirror.uids()
        known_pods = self._mirror.pod_uids()
        known_pools, _ = self._pools.uids()
        pools: set[str] = set()
        jobs: set[str] = set()
        pods: set[str] = set()
        daemons: set[str] = set()
        for namespace in self._namespaces:
            pools |= await self._list(paths.pools(namespace), self._observer.pool)
            jobs |= await self._list(paths.jobs(namespace), self._observer.job, field_selector=LIVE_JOBS)
            pods |= await self._list(paths.pods(namespace), self._observer.pod, label_selector=DAEMON_PODS)
            daemons |= await self._list(paths.daemons(namespace), self._observer.daemon)
        for uid in known_jobs - jobs:
            if (job := self._mirror.job(uid)) is not None:
                self._writer.submit(Departed(job.namespace, job.name, uid))
        for uid in known_pods.keys() - pods:
            self._observer.pod_deleted(uid, known_pods[uid])
        for uid in known_daemons - daemons:
            self._observer.daemon_deleted(uid)
        for uid in known_pools - pools:
            self._observer.pool_deleted(uid)

    async def _list(self, path: str, observe: Callable[[Mapping[str, Any]], object], **selector: str) -> set[str]:
        """Have every object of a collection observed; returns their uids."""
        uids: set[str] = set()
        async for page in self._client.list_pages(path, **selector):
            for body in page["items"]:
                uids.add(body["metadata"]["uid"])
                observe(body)
        return uids

    async def run(self) -> None:
        """Look through ended jobs now, and resync for ever."""
        while True:
            try:
                await self._ended_jobs()
                self._mirror.tidy(clock.read())
                await asyncio.sleep(RESYNC_SECONDS)
                await self.prime()
                self._observer.contact()
            except UnreachableError as error:
                self._observer.contact_lost(error)
                await asyncio.sleep(5)
            except KubeError as error:
                self._observer.contact()
                _logger.error("Resync failed and is tried again later: %s", error)  # noqa: TRY400 - no traceback needed
                await asyncio.sleep(60)

    async def _ended_jobs(self) -> None:
        known, listed = self._mirror.ended(), set()
        for namespace in self._namespaces:
            for phase in TERMINAL:
                selector = f"status.phase={phase}"
                async for page in self._client.list_pages(paths.jobs(namespace), field_selector=selector):
                    for body in page["items"]:
                        if (body.get("spec") or {}).get("ttlSecondsAfterFinished") is not None:
                            listed.add(body["metadata"]["uid"])
                            self._observer.job(body)
        for uid in known - listed:
            self._observer.job_deleted(uid)
