"""The initial lists, made before the first decision, and the tasks that keep their content current.

Jobs, queues, daemons, templates and workspaces are listed once and then followed by their reflectors (`feeds`), which miss nothing.
Pods and pools are watched by Kopf, which does not report deletions that happened while its watch started over: a slow
resync finds these. Ended jobs are listed once for those that have to be deleted after a time, were changed meanwhile, or count for a policy. A standby does all of this
too, so that it knows as much as the leader when it takes over.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

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
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.reflector import Reflector
from provisioner_operator.kube.selectors import DAEMON_PODS

_logger = logging.getLogger(__name__)

RESYNC_SECONDS = 600.0
"""The time between two resyncs. Rare: each lists all Pods of daemons and all pools."""
_UNREACHABLE_PAUSE_SECONDS = 5.0
"""The pause after a list that did not reach the API server."""
_REFUSED_PAUSE_SECONDS = 60.0
"""The pause after a list that the API server refused, which an admin has to correct."""

LASTING_CUT_SECONDS = 30.0
"""The time after which a watch that is cut is reported: an API server that restarts is back by then."""


Work = Callable[[], Coroutine[Any, Any, None]]


class Lister:
    """Lists and follows the collections of one namespace, or of all (None)."""

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
        self._queues = feeds.queues(client, observer, reconcilers.jobs, namespace, self._want_ended_jobs)
        self._templates = feeds.templates(client, observer, reconcilers.workspaces, namespace)
        self._workspaces = feeds.workspaces(client, observer, reconcilers.workspaces, namespace)
        self._supplies = (
            feeds.supplies(client, observer, reconcilers.supplies, namespace) if reconcilers.supplies.is_on else None
        )

    @property
    def is_cut(self) -> bool:
        """Whether a watch is cut, so that etcd may be another one by now."""
        return any(each.is_cut for each in self._watches)

    @property
    def lasting_cut(self) -> str | None:
        """The path of a collection whose watch has been cut for long; None if there is none."""
        return next((each.path for each in self._watches if each.cut_seconds > LASTING_CUT_SECONDS), None)

    @property
    def is_unsure(self) -> bool:
        """Whether a watch lost contact, and has not shown since whether etcd is another one, perhaps for lack of a definition."""
        return any(each.is_unsure for each in self._watches)

    @property
    def _watches(self) -> Iterator[Reflector]:
        watches = (self._jobs, self._queues, self._daemons, self._templates, self._workspaces, self._supplies)
        return (each for each in watches if each is not None)

    async def list_all(self) -> None:
        """List every collection once. Raises KubeError."""
        # Each kind after those that it refers to: a Pod finds its pool, a daemon's heartbeat the jobs that it runs and
        # the Pod that it belongs to, a workspace its builds and its template.
        await self._resync_pools()
        await self._queues.list()
        await self._jobs.list()
        await self._resync_pods()
        await self._daemons.list()
        await self._templates.list()
        await self._workspaces.list()
        if self._supplies is not None:
            await self._supplies.list()

    def tasks(self) -> Iterable[tuple[str, Work]]:
        """Yield the endless tasks that keep everything current after the lists, each with a name."""
        where = "" if self._namespace is None else f" in {self._namespace}"
        yield f"watch of jobs{where}", self._jobs.follow
        yield f"watch of queues{where}", self._queues.follow
        yield f"watch of daemons{where}", self._daemons.follow
        yield f"watch of templates{where}", self._templates.follow
        yield f"watch of workspaces{where}", self._workspaces.follow
        if self._supplies is not None:
            yield f"watch of supplies{where}", self._supplies.follow
        yield f"resync{where}", partial(self._repeat, self._resync)
        yield f"list of ended jobs{where}", partial(self._repeat, self._list_ended_jobs)

    async def _repeat(self, work: Work) -> None:
        """Do the work over and over, whatever the API server answers."""
        while True:
            try:
                await work()
                self._observer.contact()
            except UnreachableError as error:
                self._observer.contact_lost(error)
                await asyncio.sleep(_UNREACHABLE_PAUSE_SECONDS)
            except KubeError as error:
                self._observer.contact()
                _logger.error("A list failed and is retried later: %s", error)  # noqa: TRY400 - no traceback needed
                await asyncio.sleep(_REFUSED_PAUSE_SECONDS)

    async def _resync(self) -> None:
        await asyncio.sleep(RESYNC_SECONDS)
        await self._resync_pools()
        await self._resync_pods()
        # The decisions of a leader drop outdated records on the way; a standby makes none.
        self._reconcilers.jobs.tidy(clock.read())

    async def _resync_pools(self) -> None:
        # The known ones before the list, so that one that is created meanwhile does not count as deleted.
        known = {pool.uid for pool in self._reconcilers.pools.pools() if self._namespace in (None, pool.namespace)}
        found = await self._list(paths.pools(self._namespace), self._observer.pool)
        for uid in known - found:
            self._observer.pool_deleted(uid)

    async def _resync_pods(self) -> None:
        uids = self._reconcilers.jobs.pod_uids() | self._reconcilers.pools.pod_uids()
        known = {uid: where for uid, where in uids.items() if self._namespace in (None, where)}
        found = await self._list(paths.pods(self._namespace), self._observer.pod, label_selector=DAEMON_PODS)
        for uid in known.keys() - found:
            self._observer.pod_deleted(uid, known[uid])

    async def _list_ended_jobs(self) -> None:
        await self._feed.relisted.wait()
        # Before the lists: a relist during them makes another round necessary.
        self._feed.relisted.clear()
        ended = self._reconcilers.jobs.ended_uids()
        missing = {uid for uid, where in ended.items() if self._namespace in (None, where)}
        try:
            for phase in sorted(TERMINAL):
                missing -= await self._list(
                    paths.jobs(self._namespace), self._observe_if_needed, field_selector=f"status.phase={phase}"
                )
        except KubeError:
            self._feed.relisted.set()
            raise
        # A history would go on counting them.
        for uid in missing:
            self._observer.job_deleted(uid)

    def _want_ended_jobs(self) -> None:
        if self._reconcilers.jobs.wants_ended_jobs:
            self._reconcilers.jobs.wants_ended_jobs = False
            self._feed.relisted.set()

    def _observe_if_needed(self, body: Mapping[str, Any]) -> None:
        self._observer.found_ended(body)
        jobs, namespace = self._reconcilers.jobs, object_meta(body).namespace
        # The others would only be parsed and forgotten.
        has_ttl = (body.get("spec") or {}).get("ttlSecondsAfterFinished") is not None
        may_expire = has_ttl or jobs.keeps_history(namespace)
        if may_expire or (body.get("status") or {}).get("observedGeneration") != body["metadata"].get("generation"):
            self._observer.job(body)
        if jobs.needs_ended_jobs(namespace):
            self._observer.ended_job(body)

    async def _list(self, path: str, observe: Callable[[Mapping[str, Any]], object], **selector: str) -> set[str]:
        """Observe every object of a collection; returns their uids."""
        uids: set[str] = set()
        async for page in self._client.list_pages(path, **selector):
            for body in page["items"]:
                uids.add(object_meta(body).uid)
                observe(body)
        return uids
