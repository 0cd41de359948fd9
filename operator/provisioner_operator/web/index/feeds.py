"""The watches that keep the index up to date: one reflector for each kind, and for each namespace if only some are served.

They run until canceled. If etcd is restored from a backup, what was observed before may never have happened: the whole index
is forgotten, and every kind listed again.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from itertools import count
from typing import Any

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, POOLS, QUEUES, TEMPLATES, WORKSPACES
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import RestoredError
from provisioner_operator.kube.gc_tuning import spare_present_objects
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.reflector import Reflector
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.index.memory import trim

_logger = logging.getLogger(__name__)

_COLLECTIONS: Mapping[str, Callable[[str | None], str]] = {
    DAEMONS: paths.daemons,
    POOLS: paths.pools,
    # Before the jobs, which they order.
    QUEUES: paths.queues,
    WORKSPACES: paths.workspaces,
    TEMPLATES: paths.templates,
    JOBS: paths.jobs,
}
_TICK_SECONDS = 1.0
"""Time between two looks for daemons whose heartbeats have stopped."""
_TICKS_BETWEEN_TRIMS = 60
"""Searches leave free memory in pieces, as lists do, and to give it back takes some milliseconds."""


class Feeds:
    """The reflectors of one index."""

    def __init__(self, index: ClusterIndex, client: KubeClient, namespaces: Collection[str] = ()) -> None:
        """Of `namespaces` alone, or of all if there are none."""
        self._index = index
        self._client = client
        self._namespaces = namespaces
        self._unlisted: dict[str, int] = {}
        """Number of collections of each kind whose first list is not complete."""

    @property
    def index(self) -> ClusterIndex:
        """The index that is fed."""
        return self._index

    def tasks(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Yield the name and the work of each task, none of which ends."""
        yield "feed of the index", self._follow()
        yield "clock of the index", self._tick()

    async def run(self) -> None:
        """Run all tasks until canceled."""
        async with asyncio.TaskGroup() as group:
            for name, work in self.tasks():
                group.create_task(work, name=name)

    def listed(self, plural: str, *, first: bool) -> None:
        """Note that a list is complete."""
        if first:
            self._unlisted[plural] -= 1
            if not self._unlisted[plural]:
                self._index.complete(plural)
                if self._index.is_ready:
                    spare_present_objects()
        if self._index.is_ready:
            trim()

    async def _follow(self) -> None:
        while True:
            feeds = self._begin()
            try:
                # All of them start anew: whichever notices it first, etcd has been restored for every kind.
                async with asyncio.TaskGroup() as group:
                    for feed in feeds:
                        following = Reflector(self._client, feed.path, feed).follow()
                        group.create_task(following, name=f"index of {feed.path}")
            except* RestoredError as errors:
                _logger.warning("%s: the index is forgotten, and read anew", errors.exceptions[0])
                self._index.start_over()

    def _begin(self) -> "list[_Feed]":
        """Return the feeds of an index in which nothing is listed."""
        self._unlisted = dict.fromkeys(_COLLECTIONS, len(self._namespaces) or 1)
        feeds = [
            _Feed(self, plural, collection(namespace), namespace)
            for plural, collection in _COLLECTIONS.items()
            for namespace in (self._namespaces or (None,))
        ]
        if self._namespaces:
            self._index.complete(NAMESPACES)
        else:
            self._unlisted[NAMESPACES] = 1
            feeds.insert(0, _Feed(self, NAMESPACES, "/api/v1/namespaces", None))
        return feeds

    async def _tick(self) -> None:
        for tick in count(1):
            await asyncio.sleep(_TICK_SECONDS)
            self._index.queue.advance()
            if not tick % _TICKS_BETWEEN_TRIMS:
                trim()


class _Feed:
    """Receives what the reflector of one collection sees."""

    def __init__(self, feeds: Feeds, plural: str, path: str, namespace: str | None) -> None:
        self.path = path
        self._feeds = feeds
        self._index = feeds.index
        self._plural = plural
        self._namespace = namespace
        self._is_listed = False

    def known(self) -> Mapping[str, int]:
        """Return the known objects' versions by uid."""
        return self._index.versions(self._plural, self._namespace)

    def seen(self, body: Mapping[str, Any]) -> None:
        """Take an object as it is."""
        self._index.put(self._plural, body)

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Forget an object."""
        self._index.remove(self._plural, object_meta(body).uid)

    def missed(self, uid: str) -> None:
        """Forget an object that a list lacks."""
        self._index.remove(self._plural, uid)

    def listed(self) -> None:
        """Note that a list is complete."""
        self._feeds.listed(self._plural, first=not self._is_listed)
        self._is_listed = True
