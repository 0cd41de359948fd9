"""Live pages: one stream of server-sent events a page, with one rendering for each distinct view and tick.

A rendering consists of rows, which change alone, and the shell around them. A reader that has the former rendering gets
the shell and the changed rows; all others get everything. An unchanged rendering sends nothing. Texts that change only
because time passes are not in it: the browser counts.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from sys import getsizeof

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.kube.errors import ForbiddenError, KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.streams import EVENT_STREAM, LiveResponse, Permitted, StreamEnd, StreamEndedError

TICK_SECONDS = 1.0
"""Shortest time between two renderings of a view: people read no faster."""
REFRESH_SECONDS = 10.0
"""Longest time between two: heartbeats change no version, but the page shows when the last one was."""
PING_SECONDS = 15.0
"""Time without an event after which a comment keeps proxies from closing the stream."""
MOST_BYTES = 64 * 1024 * 1024
"""Memory of all renderings that are kept: of a thousand pages or so. Beyond it, views are rendered for each reader anew."""

Shell = Callable[[Sequence[Markup]], Markup]
"""Renders what is around the rows."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One view at one time."""

    rows: Mapping[str, Markup]
    """Rendered rows by key, in their order."""
    shell: Shell

    def full(self) -> Markup:
        """Return everything."""
        return self.shell(list(self.rows.values()))

    def beside(self, former: "Rendering") -> Markup:
        """Return everything, with marks in place of the rows that the former rendering has too."""
        return self.shell(
            [
                render("parts/same.html", key=key) if former.rows.get(key) == row else row
                for key, row in self.rows.items()
            ]
        )


Make = Callable[[], Rendering]
"""Renders a view as the index is now."""


@dataclass(slots=True)
class _Known:
    """The latest rendering of a view, and the one before it."""

    at: Hashable
    """Version and time for which it was rendered."""
    rendering: Rendering
    text: Markup
    digest: str
    former: str = ""
    """Digest of the rendering before it."""
    change: Markup | None = None
    """The change from that one."""

    @property
    def size(self) -> int:
        """Memory in bytes, nearly."""
        texts = (self.text, self.change or "", *self.rendering.rows.values())
        return sum(map(getsizeof, texts))


class Renderings:
    """The latest renderings of all views that are read, shared by all their readers."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._readers: Counter[Hashable] = Counter()

    @contextmanager
    def reading(self, view: Hashable) -> Iterator[None]:
        """Keep the view for a reader; it is forgotten with its last one."""
        self._readers[view] += 1
        try:
            yield
        finally:
            self._readers[view] -= 1
            if not self._readers[view]:
                del self._readers[view]
                self._forget(view)

    def event(self, view: Hashable, at: Hashable, make: Make, seen: str) -> tuple[str, Markup | None]:
        """Return the digest of the view at this time, and the text to send to a reader who has seen another; None if it is the same."""
        known = self._current(view, at, make)
        if known.digest == seen:
            return seen, None
        if known.change is not None and known.former == seen:
            return known.digest, known.change
        return known.digest, known.text

    def _current(self, view: Hashable, at: Hashable, make: Make) -> _Known:
        known = self._known.get(view)
        if known is None or known.at != at:
            rendering = make()
            text = rendering.full()
            digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
            if known is None:
                known = _Known(at, rendering, text, digest)
            elif known.digest == digest:
                known.at = at
            else:
                change = rendering.beside(known.rendering) if rendering.rows else None
                known = _Known(at, rendering, text, digest, known.digest, change)
            self._keep(view, known)
        self._known.move_to_end(view)
        return known

    def _keep(self, view: Hashable, known: _Known) -> None:
        self._forget(view)
        self._known[view] = known
        self._bytes += known.size
        while self._bytes > self._most_bytes and len(self._known) > 1:
            self._forget(next(iter(self._known)))

    def _forget(self, view: Hashable) -> None:
        known = self._known.pop(view, None)
        self._bytes -= 0 if known is None else known.size


def wants_stream(request: Request) -> bool:
    """Return whether a request for a page asks for its live stream."""
    return EVENT_STREAM in request.headers.get("accept", "")


def renderings_of(request: Request) -> Renderings:
    """Return the renderings of this server."""
    state = request.app.state
    if not hasattr(state, "renderings"):
        state.renderings = Renderings()
    found: Renderings = state.renderings
    return found


@dataclass(frozen=True, slots=True)
class View:
    """A page to keep live."""

    key: Hashable
    """All that its rendering depends on, beside the index."""
    make: Make
    permitted: Permitted


def stream(request: Request, context: WebContext, caller: Caller, view: View) -> Response:
    """Answer with the live stream of a view."""
    seen = request.headers.get("last-event-id", "")
    source = _events(context, renderings_of(request), view, seen)
    return respond(context, caller, view.permitted, source)


def respond(context: WebContext, caller: Caller, permitted: Permitted, source: AsyncIterator[bytes]) -> Response:
    """Answer with a stream of events, for as long as the user may read them."""

    async def body() -> AsyncIterator[bytes]:
        try:
            async with aclosing(context.streams.guarded(caller, permitted, source)) as items:
                async for item in items:
                    yield item
        except StreamEndedError as error:
            yield event_bytes("end", str(error.end))
        except ForbiddenError as error:
            # A browser that is not told would connect again and again.
            is_signed_out = error.status == HTTPStatus.UNAUTHORIZED
            yield event_bytes("end", str(StreamEnd.SIGNED_OUT if is_signed_out else StreamEnd.FORBIDDEN))
        except KubeError:
            return  # it may pass: the browser connects again

    return LiveResponse(body(), context.streams.place(caller))


def event_bytes(name: str, text: str, identifier: str = "") -> bytes:
    """Return an event as the stream has it."""
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"event: {name}\n{f'id: {identifier}' + chr(10) if identifier else ''}{lines}\n".encode()


async def ticks(context: WebContext) -> AsyncIterator[tuple[int, int]]:
    """Yield the index's version and a counter of time: at once, then after changes and from time to time, never faster than a tick.

    While everything is listed anew, what was rendered before is better than a part.
    """
    loop = asyncio.get_running_loop()
    while True:
        version = context.index.version
        if context.index.is_ready:
            yield version, int(context.index.now() // REFRESH_SECONDS)
        began = loop.time()
        if version == context.index.version:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await context.index.changed(version)
            except TimeoutError:
                continue
        await asyncio.sleep(max(0.0, TICK_SECONDS - (loop.time() - began)))


async def _events(context: WebContext, renderings: Renderings, view: View, seen: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    sent = loop.time()
    yield b"retry: 2000\n\n"
    with renderings.reading(view.key):
        async for at in ticks(context):
            digest, text = renderings.event(view.key, at, view.make, seen)
            if text is not None:
                seen, sent = digest, loop.time()
                yield event_bytes("view", text, digest)
            elif loop.time() - sent >= PING_SECONDS:
                sent = loop.time()
                yield b": ping\n\n"


Rights = tuple[frozenset[str], ...]
"""Sets of namespaces in which the user may do what a rendering depends on, beside reading its objects."""


def lasting(permitted: Permitted, held: Rights, rights: Callable[[], Awaitable[Rights]]) -> Permitted:
    """Return a check that also ends the stream, with the word to connect again, once a right of the rendering is gone."""

    async def still_permitted() -> bool:
        if not await permitted():
            return False
        if not all(former <= present for former, present in zip(held, await rights(), strict=True)):
            raise StreamEndedError(StreamEnd.RELOAD)
        return True

    return still_permitted


async def permitted_to(caller: Caller, resource: str, namespaces: frozenset[str]) -> bool:
    """Return whether the user may still list this kind in all these namespaces. Raises KubeError.

    Raises StreamEndedError, with the word to connect again, if some of them are gone.
    """
    present = namespaces.intersection(caller.namespaces())
    if not present or await caller.visible(resource, namespaces) != present:
        return False
    if present != namespaces:
        raise StreamEndedError(StreamEnd.RELOAD)
    return True
