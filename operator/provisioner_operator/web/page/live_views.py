"""Views that are kept live: each is rendered once for all its readers, at times that they share.

A rendering consists of rows, which change alone, and the shell around them. A reader that has the former rendering gets
the shell and the changed rows; all others get everything. Of a row in which only the one text changes that does so often,
such as a place in a queue, it gets that. An unchanged rendering sends nothing. Texts that change only because time passes
are not in it: the browser counts.

Renderings take turns, and at most half of the time: the more views are open, the later each is rendered, while requests
for pages are answered as before.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from sys import getsizeof

from markupsafe import Markup

from provisioner_operator.web.event_stream import event_bytes
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.streams import Permitted

TICK_SECONDS = 1.0
"""Shortest time between two renderings of a view: people read no faster."""
REFRESH_SECONDS = 10.0
"""Longest time between two: heartbeats change no version, but the page shows when the last one was."""
HANDOUT_SECONDS = 0.25
"""Shortest time between the end of a rendering and the next: all its readers take it."""
MOST_BYTES = 64 * 1024 * 1024
"""Memory of all renderings that are kept: of a thousand pages or so. Beyond it, those of longest ago are
forgotten, and rendered anew for whoever reads them."""

Shell = Callable[[Sequence[Markup]], Markup]
"""Renders what is around the rows."""
_NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class Row:
    """A rendered row, with the text in it that changes most often, which the element with `data-text` contains."""

    before: Markup
    text: str = ""
    after: Markup = _NOTHING

    @property
    def whole(self) -> Markup:
        """The row with its text."""
        return self.before + self.text + self.after

    @property
    def size(self) -> int:
        """Memory in bytes, nearly."""
        return getsizeof(self.before) + getsizeof(self.after)

    def beside(self, former: "Row | None", key: str) -> Markup:
        """Return the row, or the mark of one that is like the former."""
        if former is None or (former.before, former.after) != (self.before, self.after):
            return self.whole
        return render("parts/same.html", key=key, text=None if former.text == self.text else self.text)


Rows = Mapping[str, Row]
"""Rendered rows by key, in their order."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One view at one time."""

    rows: Rows
    shell: Shell
    owners: Collection[str] = frozenset()
    """Users who see some rows otherwise than everybody else."""
    own_rows: Callable[[str], Rows] = lambda _: {}
    """Renders the rows that such a user sees otherwise."""

    def of(self, user: str) -> "Rendering":
        """Return what this user sees."""
        return Rendering({**self.rows, **self.own_rows(user)}, self.shell) if user in self.owners else self

    def full(self) -> Markup:
        """Return everything."""
        return self.shell([row.whole for row in self.rows.values()])

    def beside(self, former: "Rendering") -> Markup:
        """Return everything, with marks in place of the rows that the former rendering has too."""
        return self.shell([row.beside(former.rows.get(key), key) for key, row in self.rows.items()])


Make = Callable[[], Rendering]
"""Renders a view as the index is now."""


At = tuple[int, int]
"""Time of a rendering: version of the index, and a counter of time."""


@dataclass(frozen=True, slots=True)
class View:
    """A page to keep live."""

    key: Hashable
    """All that its rendering depends on, beside the index and its owners."""
    make: Make
    permitted: Permitted
    user: str = ""
    """The user who reads it, if that may be one of its owners."""


_Audience = tuple[Hashable, str]
"""Key of a view, and one of its owners; an empty name stands for all other users."""


@dataclass(slots=True)
class _Known:
    """The latest rendering for an audience, and the change from the one before it."""

    at: At
    rendering: Rendering
    digest: str
    event: bytes
    former: str = ""
    """Digest of the rendering before it."""
    change: bytes = b""
    """Event that makes it of the former one; empty if there was none."""

    @property
    def size(self) -> int:
        """Memory in bytes, nearly."""
        return sum(map(getsizeof, (self.event, self.change))) + sum(row.size for row in self.rendering.rows.values())


class ViewClock:
    """The times at which a view is rendered, the same for all its readers: after changes, and from time to time.

    It stands still while a rendering waits for its turn, and until all readers have it. Otherwise each reader would miss what
    another, who came a moment later, has rendered, and get everything instead of the changes: the more there is to do, the
    more there would be.
    """

    def __init__(self, index: ClusterIndex) -> None:
        self._index = index
        self._at: At = (0, 0)
        self._number = 0
        """Number of the present time."""
        self._next = float("-inf")
        """Earliest time at which another begins."""
        self._waiting = 0
        self._moving = asyncio.Event()
        self._moving.set()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time begin while a reader waits for the rendering of the present one."""
        self._waiting += 1
        self._moving.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._next = max(self._next, _now() + HANDOUT_SECONDS)
                self._moving.set()

    async def ticks(self) -> AsyncIterator[At]:
        """Yield each time, never two within a tick.

        None is from before the call: what the reader has may be newer. While everything is listed anew, what was rendered
        before is better than a part.
        """
        oldest, last = self._index.version, 0
        while True:
            await self._moving.wait()
            at, number = self._present(), self._number
            if number != last and at[0] >= oldest and self._index.is_ready:
                last = number
                yield at
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._index.changed(at[0])
            if number == self._number:
                await asyncio.sleep(max(0.0, self._next - _now()))

    def _present(self) -> At:
        if _now() >= self._next:
            self._next = _now() + TICK_SECONDS
            self._number += 1
            self._at = self._index.version, int(self._index.now() // REFRESH_SECONDS)
        return self._at


class LiveViews:
    """The latest renderings of all views that are read."""

    def __init__(self, index: ClusterIndex, most_bytes: int = MOST_BYTES) -> None:
        self._index = index
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[_Audience, _Known] = OrderedDict()
        self._readers: Counter[_Audience] = Counter()
        self._clocks: dict[Hashable, ViewClock] = {}
        self._turn = asyncio.Lock()

    @contextmanager
    def reading(self, view: View) -> Iterator[ViewClock]:
        """Keep a view for a reader, and yield its clock; it is forgotten with its last reader."""
        audiences: set[_Audience] = {(view.key, ""), (view.key, view.user)}
        self._readers.update(audiences)
        try:
            yield self._clock_of(view)
        finally:
            self._readers.subtract(audiences)
            for each in audiences:
                if not self._readers[each]:
                    del self._readers[each]
                    self._forget(each)
            if (view.key, "") not in self._readers:
                del self._clocks[view.key]

    async def event(self, view: View, at: At, seen: str) -> tuple[str, bytes | None]:
        """Return the digest of the view at this time, and the event for a reader who has seen another; None if it is the same."""
        with self._clock_of(view).stopped():
            known = await self._current((view.key, ""), at, view.make)
        if view.user in known.rendering.owners:
            shared = known.rendering
            known = await self._current((view.key, view.user), known.at, lambda: shared.of(view.user))
        if known.digest == seen:
            return seen, None
        return known.digest, known.change if known.change and known.former == seen else known.event

    def _clock_of(self, view: View) -> ViewClock:
        return self._clocks.setdefault(view.key, ViewClock(self._index))

    async def _current(self, audience: _Audience, at: At, make: Make) -> _Known:
        known = self._find(audience, at)
        if known is None:
            async with self._turn:
                known = self._find(audience, at)
                if known is None:
                    known = await self._render(audience, at, make)
        return known

    def _find(self, audience: _Audience, at: At) -> _Known | None:
        known = self._known.get(audience)
        return known if known is not None and known.at >= at else None

    async def _render(self, audience: _Audience, at: At, make: Make) -> _Known:
        began = _now()
        known = self._replaced(self._known.get(audience), at, make())
        self._keep(audience, known)
        await asyncio.sleep(_now() - began)
        return known

    def _replaced(self, former: _Known | None, at: At, rendering: Rendering) -> _Known:
        text = rendering.full()
        digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        if former is not None and former.digest == digest:
            former.at, former.rendering = at, rendering
            return former
        known = _Known(at, rendering, digest, event_bytes("view", text, digest))
        if former is not None and rendering.rows:
            known.former = former.digest
            known.change = event_bytes("view", rendering.beside(former.rendering), digest)
        return known

    def _keep(self, audience: _Audience, known: _Known) -> None:
        self._forget(audience)
        self._known[audience] = known
        self._bytes += known.size
        while self._bytes > self._most_bytes and len(self._known) > 1:
            self._forget(next(iter(self._known)))

    def _forget(self, audience: _Audience) -> None:
        known = self._known.pop(audience, None)
        self._bytes -= 0 if known is None else known.size


def _now() -> float:
    return asyncio.get_running_loop().time()
