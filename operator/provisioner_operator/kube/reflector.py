"""A collection of the API server, followed: listed once, then watched from the version of that list on.

A watch that ends or breaks is resumed from the last version received (bookmarks move it on while nothing changes), so
no change is missed and nothing is listed twice. Only a version that is too old (410) makes a new list, which then also
reports the objects that have disappeared. Versions that go back mean that etcd was restored from a backup: everything
observed before may be of a world that is no more, which only the caller can forget. Run by the controller for each kind and namespace that it follows closely,
and by a daemon for its own jobs; it must not know what the objects mean.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import stamina

from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    BusyError,
    ForbiddenError,
    GoneError,
    KubeError,
    NotFoundError,
    RestoredError,
    UnreachableError,
    UnsettledError,
)
from provisioner_operator.kube.object_meta import object_meta

_logger = logging.getLogger(__name__)

SLOWEST_RETRY_SECONDS = 5.0
"""The longest pause between tries, which never end: short enough to notice soon that the API server is back."""
SHORTEST_WATCH_SECONDS = 1.0
"""The least time between the starts of two watches, however soon the first ends."""
_NO_NAME = "none"
"""A name that selects at most one object: the API server looks it up instead of going through all."""

_Argument = TypeVar("_Argument")


def _do_nothing() -> None:
    pass


class Sink(Protocol):
    """The receiver of what a reflector sees. An exception raised by a call is logged, and the next object follows."""

    def known(self) -> Mapping[str, int]:
        """Return the known objects' versions by uid; asked before a list, which reports those that are missing.

        The version is one that the API server has shown, or 0.
        """

    def seen(self, body: Mapping[str, Any]) -> None:
        """Take an object as it is; perhaps not for the first time, perhaps older than what is known from elsewhere."""

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Forget an object, given its last state: the watch says that it is no longer in the collection."""

    def missed(self, uid: str) -> None:
        """Handle an object that was known and that a list lacks: it left the collection while nothing was watched."""

    def listed(self) -> None:
        """Note that a list is complete."""


class Reflector:
    """Follows one collection and reports each change to its sink."""

    def __init__(
        self,
        client: KubeClient,
        path: str,
        sink: Sink,
        *,
        listing: str | None = None,
        watching: str | None = None,
        undefined: Callable[[], object] = _do_nothing,
        resumed: Callable[[], object] = _do_nothing,
    ) -> None:
        """`listing` and `watching` are the field selectors of lists and watches.

        `undefined` is called whenever the API server says that the kind has no definition, and so no objects; `resumed`
        whenever it is not cut any more.
        """
        self._client = client
        self.path = path
        self._sink = sink
        self._listing = listing
        self._watching = watching
        self._undefined = undefined
        self._resumed = resumed
        self._version: str | None = None
        """The version to watch from; None if a list is needed first."""
        self._newest = 0
        """The newest version that the collection has had."""
        self.is_unsure = False
        """Whether the version is to be checked before the next watch, since contact was lost: etcd may have been restored."""
        self._cut_at: float | None = None
        """The loop's time at which it was cut; None if it is not."""

    @property
    def is_cut(self) -> bool:
        """Whether contact was lost, and nothing shows yet that the API server still knows what was observed before.

        A refusal is contact: whoever may not follow this collection may still follow others.
        """
        return self._cut_at is not None

    @property
    def cut_seconds(self) -> float:
        """The time for which it has been cut; 0 if it is not."""
        return 0.0 if self._cut_at is None else asyncio.get_running_loop().time() - self._cut_at

    async def list(self) -> None:
        """Report every object, and every known one that is missing.

        Raises KubeError, after which the list must be repeated, and RestoredError.
        """
        # Before the first page: an object that becomes known while the list is read may be younger than the list.
        known = self._sink.known()
        newest = max([self._newest, *known.values()])
        missing = set(known)
        version = ""
        async for page in self._client.list_pages(self.path, field_selector=self._listing):
            version = object_meta(page).resource_version
            self._expect_at_least(newest, int(version))
            for body in page["items"]:
                meta = object_meta(body)
                # Also where etcd was restored to higher versions, as its manual advises: not so the objects' own.
                self._expect_at_least(known.get(meta.uid, 0), meta.version)
                missing.discard(meta.uid)
                self._report(self._sink.seen, body)
        # After the last page: only a complete list proves that something is missing.
        for uid in missing:
            self._report(self._sink.missed, uid)
        self._reached(version)
        self._sink.listed()

    async def follow(self) -> None:
        """Report every change until canceled, after a list if none was made; survives every error of the network.

        Raises RestoredError.
        """
        while True:
            # Each round that succeeds resets the backoff.
            async for attempt in stamina.retry_context(
                on=(KubeError, OSError), attempts=None, timeout=None, wait_max=SLOWEST_RETRY_SECONDS
            ):
                with attempt:
                    await self._watch_once()

    async def _watch_once(self) -> None:
        """Watch until the server ends the watch. Raises the errors that need a growing pause before the next try."""
        loop = asyncio.get_running_loop()
        try:
            await self._confirm_version()
        except KubeError as error:
            self._note_failure(error)
            raise
        began, before = loop.time(), self._version or ""
        try:
            await self._watch(before)
        except KubeError as error:
            self._note_failure(error)
            # A watch that lasted, or brought something, before it broke is resumed without backoff.
            has_worked = self._version != before or loop.time() - began > SLOWEST_RETRY_SECONDS
            if not isinstance(error, UnreachableError) or not has_worked:
                raise
            _logger.debug("Resuming the watch of %s from version %s: %s", self.path, self._version, error)
        await asyncio.sleep(max(SHORTEST_WATCH_SECONDS - (loop.time() - began), 0))

    async def _confirm_version(self) -> None:
        """Make sure that the version to watch from exists, by a list if there is none. Raises RestoredError."""
        if self._version is None:
            await self.list()
        elif self.is_unsure:
            await self._check_version()
        self.is_unsure = False
        self._end_cut()

    def _note_failure(self, error: KubeError) -> None:
        self.is_unsure = self.is_unsure or isinstance(error, UnreachableError)
        if isinstance(error, BusyError | UnsettledError):
            return  # An API server answers, so etcd is not being restored, but nothing shows that it was not: no cut begins or ends.
        # A version that is too old may be so because etcd was restored to higher ones: only the list shows that.
        if isinstance(error, UnreachableError | GoneError) and self._cut_at is None:
            self._cut_at = asyncio.get_running_loop().time()
        if isinstance(error, GoneError):
            _logger.info("%s has to be listed again: %s", self.path, error)
            self._version = None
        elif isinstance(error, ForbiddenError | NotFoundError):
            remedy = (
                "Grant list and watch." if isinstance(error, ForbiddenError) else "Install the definition of its kind."
            )
            _logger.error("%s cannot be followed: %s. %s", self.path, error, remedy)
            if isinstance(error, NotFoundError):
                self._version = None  # the objects of the next definition are others
                self._undefined()
        if not isinstance(error, UnreachableError | GoneError):
            self._end_cut()

    def _end_cut(self) -> None:
        if self._cut_at is not None:
            self._cut_at = None
            self._resumed()

    async def _watch(self, version: str) -> None:
        async for kind, body in self._client.watch(self.path, resource_version=version, field_selector=self._watching):
            meta = object_meta(body)
            if kind == "DELETED":
                self._report(self._sink.deleted, body)
            elif kind != "BOOKMARK":
                self._report(self._sink.seen, body)
            # After the report: a process that is canceled in between sees the change again rather than never.
            self._reached(meta.resource_version)

    async def _check_version(self) -> None:
        """Read the collection's version, without objects. Raises RestoredError.

        A watch from a version that does not exist yet is no error for the API server: it stays silent until it does.
        """
        page = await self._client.get(self.path, limit="1", fieldSelector=f"metadata.name={_NO_NAME}")
        self._expect_at_least(self._newest, object_meta(page).version)

    def _expect_at_least(self, known: int, version: int) -> None:
        if version < known:
            raise RestoredError(self.path, version, known)

    def _reached(self, version: str) -> None:
        self._version = version
        self._newest = max(self._newest, int(version))

    def _report(self, receive: Callable[[_Argument], None], what: _Argument) -> None:
        try:
            receive(what)
        except Exception:
            # One malformed object must not hide the others.
            _logger.exception("An object of %s could not be processed", self.path)
