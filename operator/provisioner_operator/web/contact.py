"""The server's own client of the API server, which notes whether the index is in contact with it.

While a watch is broken, what the index shows may be out of date, and pages say how old it is.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from typing_extensions import override

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import UnreachableError


class ContactClient(KubeClient):
    """Knows which collections cannot be followed at present, and since when."""

    most_objects = 100
    """Few: a page is indexed without a pause, and 500 jobs keep the loop for 50 ms and take 20 MB more."""

    def __init__(self, session: aiohttp.ClientSession, server: str, clock: Callable[[], float]) -> None:
        """`clock` never jumps, in seconds."""
        super().__init__(session, server)
        self._clock = clock
        self._began = clock()
        self._seen: dict[str, float] = {}
        """The last time at which each collection was reached, by its path."""
        self._broken: set[str] = set()
        """Paths of collections that could not be reached when they were last asked for."""

    def stale_seconds(self) -> float:
        """Return the longest time since a collection was last reached; 0 while all can be followed."""
        now = self._clock()
        return max((now - self._seen.get(path, self._began) for path in self._broken), default=0.0)

    @override
    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        try:
            answer = await super().get(path, **parameters)
        except UnreachableError:
            self._broken.add(path)
            raise
        self._reached(path)
        return answer

    @override
    async def list_pages(
        self, path: str, *, field_selector: str | None = None, label_selector: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        try:
            async for page in super().list_pages(path, field_selector=field_selector, label_selector=label_selector):
                self._reached(path)
                yield page
        except UnreachableError:
            self._broken.add(path)
            raise

    @override
    async def watch(
        self, path: str, *, resource_version: str, field_selector: str | None = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        try:
            async for event in super().watch(path, resource_version=resource_version, field_selector=field_selector):
                self._reached(path)
                yield event
        except UnreachableError:
            self._broken.add(path)
            raise

    def _reached(self, path: str) -> None:
        self._seen[path] = self._clock()
        self._broken.discard(path)
