"""What there is, learnt before the first decision; and what no watch tells, now and then.

Jobs, daemons, templates and workspaces are listed once and then followed by their reflectors (`feeds`), which miss nothing. Pods and pools are
watched by Kopf, which does not tell what was deleted while its watch had to begin anew: a slow resync sweeps that. Jobs
that had ended before they were watched are looked through once, for those to be deleted in time. Who only stands by does
all this as well, so that its mirror is as good, and is tidied where deciding would.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.names import DAEMON_POD_LABEL
from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.sources import feeds
from provisioner_operator.controller.sources.feeds import JobFeed
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError, UnreachableError

_logger = logging.getLogger(__name__)

DAEMON_PODS = f"{DAEMON_POD_LABEL}=true"
"""The label selector of Pods that are daemons."""
RESYNC_SECONDS = 600.0


class Lister:
    """Reads the collections of one namespace, or of all (None)."""

    def __init__(
        self,
        client: KubeClient,
        observer: Observer,
        reconcilers: Reconcilers,
        writer: Writer,
        namespace: str | None,
    ) -> None:
        self._client = client
        self._observer = observer
        self._reconcilers = reconcilers
        self._namespace = namespace
        self._feed = JobFeed(observer, reconcilers, writer, namespace)
        self._jobs = self._feed.reflector(client)
        self._daemons = feeds.daemons(client, observer, reconcilers.jobs, namespace)
        self._templates = feeds.templates(client, observer, reconcilers.workspaces, namespace)
        self._workspaces = feeds.workspaces(client, observer, reconcilers.workspaces, namespace)

    async def prime(self) -> None:
        """Learn all that there is; jobs first, so that a daemon's report finds those it lists, and a workspace its builds."""
        await self._sweep_pools()
        await self._jobs.list()
        await self._sweep_pods()
        await self._daemons.list()
        await self._templates.list()
        await self._workspaces.list()

    def tasks(self) -> Iterable[tuple[str, Coroutine[Any, Any, None]]]:
        """What keeps all this current from then on, each with a name; none ever ends."""
        where = "" if self._namespace is None else f" in {self._namespace}"
        yield f"watch of jobs{where}", self._jobs.follow()
        yield f"watch of daemons{where}", self._daemons.follow()
        yield f"watch of templates{where}", self._templates.follow()
        yield f"watch of workspaces{where}", self._workspaces.follow()
        yield f"resync{where}", self._keep(self._resync)
        yield f"look through ended jobs{where}", self._keep(self._look_through_ended_jobs)

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have it done over and over, whatever the API server says."""
        while True:
            try:
                await work()
                self._observer.contact()
            except UnreachableError as error:
                self._observer.contact_lost(error)
                await asyncio.sleep(5)
            except KubeError as error:
                self._observer.contact()
                _logger.error("Listing failed and is tried again later: %s", error)  # noqa: TRY400 - no traceback needed
                await asyncio.sleep(60)

    async def _resync(self) -> None:
        await asyncio.sleep(RESYNC_SECONDS)
        await self._sweep_pools()
        await self._sweep_pods()
        self._reconcilers.jobs.tidy(clock.read())

    async def _sweep_pools(self) -> None:
        known = {pool.uid for pool in self._reconcilers.pools.pools() if self._namespace in (None, pool.namespace)}
        found = await self._list(paths.pools(self._namespace), self._observer.pool)
        for uid in known - found:
            self._observer.pool_deleted(uid)

    async def _sweep_pods(self) -> None:
        known = {
            uid: where for uid, where in self._reconcilers.jobs.pod_uids().items() if self._namespace in (None, where)
        }
        found = await self._list(paths.pods(self._namespace), self._observer.pod, label_selector=DAEMON_PODS)
        for uid in known.keys() - found:
            self._observer.pod_deleted(uid, known[uid])

    async def _look_through_ended_jobs(self) -> None:
        await self._feed.relisted.wait()
        self._feed.relisted.clear()
        try:
            for phase in TERMINAL:
                await self._list(
                    paths.jobs(self._namespace), self._observe_if_ttl, field_selector=f"status.phase={phase}"
                )
        except KubeError:
            self._feed.relisted.set()
            raise

    def _observe_if_ttl(self, body: Mapping[str, Any]) -> None:
        if (body.get("spec") or {}).get("ttlSecondsAfterFinished") is not None:
            self._observer.job(body)

    async def _list(self, path: str, observe: Callable[[Mapping[str, Any]], object], **selector: str) -> set[str]:
        """Have every object of a collection observed; returns their uids."""
        uids: set[str] = set()
        async for page in self._client.list_pages(path, **selector):
            for body in page["items"]:
                uids.add(body["metadata"]["uid"])
                observe(body)
        return uids
