"""A collection of the API server's, told of as it changes: listed once, then watched from that very version on.

A watch that ends or breaks is resumed from the last version that was heard of (bookmarks move it on while nothing
happens), so nothing is missed and nothing listed twice. Only a version that is too old makes a new list, which then also
tells what is missing. Run by the controller for each kind and namespace that it follows closely, and by a daemon for its
jobs; what the objects mean is their business.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any, Protocol

import stamina

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, GoneError, KubeError, UnreachableError

_logger = logging.getLogger(__name__)

SLOWEST_RETRY_SECONDS = 5.0
"""The longest pause between tries, which have no end: short enough to notice an API server's return."""
SHORTEST_WATCH_SECONDS = 1.0
"""No two watches begin within this time, however soon the first ends."""


class Sink(Protocol):
    """Who is told. What a call raises is logged, and the next object is told of all the same."""

    def known(self) -> Iterable[str]:
        """The uids that are held to exist; asked before a list, which tells what of them is missing."""

    def seen(self, body: Mapping[str, Any]) -> None:
        """An object as it is now; perhaps not for the first time, perhaps older than what is known from elsewhere."""

    def deleted(self, uid: str) -> None:
        """The watch says that the object is no longer in the collection."""

    def missed(self, uid: str) -> None:
        """A list does not have what was known: it left the collection, and no watch told so."""

    def listed(self) -> None:
        """A list is complete."""


class Reflector:
    """Follows one collection."""

    def __init__(
        self, client: KubeClient, path: str, sink: Sink, *, listing: str | None = None, watching: str | None = None
    ) -> None:
        """`listing` and `watching` are the field selectors of lists and watches."""
        self._client = client
        self._path = path
        self._sink = sink
        self._listing = listing
        self._watching = watching
        self._version: str | None = None

    async def list(self) -> None:
        """Tell of all that there is, and of what is missing. Raises KubeError: the next list then begins anew."""
        missing = set(self._sink.known())
        version = ""
        async for page in self._client.list_pages(self._path, field_selector=self._listing):
            version = page["metadata"]["resourceVersion"]
            for body in page["items"]:
                missing.discard(body["metadata"]["uid"])
                self._tell(self._sink.seen, body)
        for uid in missing:
            self._tell(self._sink.missed, uid)
        self._version = version
        self._sink.listed()

    async def follow(self) -> None:
        """Tell of every change until canceled, listing first unless that is done; no error of the network ends it."""
        while True:
            async for attempt in stamina.retry_context(
                on=(KubeError, OSError), attempts=None, timeout=None, wait_max=SLOWEST_RETRY_SECONDS
            ):
                with attempt:
                    await self._round()

    async def _round(self) -> None:
        """One watch, to its end. Raises what should be followed by a growing pause."""
        began, before = monotonic(), self._version
        try:
            if self._version is None:
                await self.list()
            await self._watch(self._version or "")
        except GoneError as error:
            _logger.info("%s has to be listed again: %s", self._path, error)
            self._version = None
            raise
        except UnreachableError as error:
            if self._version == before:
                raise
            _logger.debug("%s is watched on from version %s: %s", self._path, self._version, error)
        except ForbiddenError as error:
            _logger.error("%s cannot be followed: %s. Grant list and watch.", self._path, error)  # noqa: TRY400 - no traceback needed
            raise
        await asyncio.sleep(max(SHORTEST_WATCH_SECONDS - (monotonic() - began), 0))

    async def _watch(self, version: str) -> None:
        sink = self._sink
        async for kind, body in self._client.watch(self._path, resource_version=version, field_selector=self._watching):
            meta = body["metadata"]
            if kind == "DELETED":
                self._tell(sink.deleted, meta["uid"])
            elif kind != "BOOKMARK":
                self._tell(sink.seen, body)
            self._version = meta["resourceVersion"]

    def _tell(self, listener: Callable[[Any], None], what: Any) -> None:
        try:
            listener(what)
        except Exception:
            # One strange object must not hide the others.
            _logger.exception("An object of %s made its follower stumble", self._path)
