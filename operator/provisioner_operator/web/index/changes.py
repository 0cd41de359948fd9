"""The feed of visible changes: a version that grows with each, and which objects changed since an earlier one.

Streams wait for the next version, and render again only what may differ. A heartbeat that changes nothing else is no
change: of a thousand daemons, a hundred report each second.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

_REMEMBERED = 4096
"""Number of changes after which it is cheaper to look at everything again."""


@dataclass(frozen=True, slots=True)
class Change:
    """An object that was added, changed or removed."""

    plural: str
    """Its kind, as in the API's paths."""
    namespace: str
    """Its namespace; of a namespace, its own name."""
    uid: str


class Changes:
    """The last changes, and those who wait for the next."""

    def __init__(self) -> None:
        self.version = 0
        self._of_namespace: Counter[str] = Counter()
        self._last: deque[Change] = deque(maxlen=_REMEMBERED)
        self._waiting: set[asyncio.Future[None]] = set()

    def note(self, change: Change) -> None:
        """Count a change."""
        self._of_namespace[change.namespace] += 1
        self._last.append(change)
        self._grow()

    def start_over(self) -> None:
        """Count a change of everything: whoever knows an earlier version has to look at all objects again."""
        self._last.clear()
        for namespace in self._of_namespace:
            self._of_namespace[namespace] += 1
        self._grow()

    def version_of(self, namespace: str) -> int:
        """Return the number of changes in one namespace."""
        return self._of_namespace[namespace]

    async def after(self, version: int) -> int:
        """Return the version once it is above that one."""
        while self.version <= version:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)
        return self.version

    def since(self, version: int) -> Sequence[Change] | None:
        """Return what changed after that version, each object once; None if that is too long ago."""
        missing = self.version - version
        if missing > len(self._last):
            return None
        return list(dict.fromkeys(list(self._last)[len(self._last) - missing :])) if missing > 0 else []

    def _grow(self) -> None:
        self.version += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
