"""Queue work by namespace, and serve namespaces in turn; within a namespace, the order is by rank, then first in, first out.

However much work one namespace has, and however slow or often refused it is, every other namespace waits only for a turn.
A limit on the work of one namespace that is under way always leaves writers for the others. Used by `writer`.
"""

import asyncio
from collections import Counter, deque
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Queue of work items by namespace."""

    def __init__(self, most_of_one: int) -> None:
        """Limit the items of one namespace that may be under way to `most_of_one`."""
        self._most_of_one = most_of_one
        self._lines: dict[str, list[tuple[int, int, Item]]] = {}
        """Heap of each namespace: rank, number of arrival, and item."""
        self._arrivals = count()
        self._turns: deque[str] = deque()
        """Namespaces that have items, in the order of their turns."""
        self._under_way: Counter[str] = Counter()
        self._unfinished = 0
        self._getters: deque[asyncio.Future[None]] = deque()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, namespace: str, item: Item, rank: int = 0) -> None:
        """Add an item of a namespace, before those of a higher rank."""
        if namespace not in self._lines:
            self._lines[namespace] = []
            self._turns.append(namespace)
        heappush(self._lines[namespace], (rank, next(self._arrivals), item))
        self._unfinished += 1
        self._empty.clear()
        self._wake_one()

    async def get(self) -> tuple[str, Item]:
        """Wait for an item, remove it and return it with its namespace; must be followed by `done`."""
        while (found := self._take()) is None:
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake_one()  # it was woken for an item that another getter has to take now
                elif getter in self._getters:  # unless it was skipped already, since it is canceled
                    self._getters.remove(getter)
                raise
        return found

    def done(self, namespace: str) -> None:
        """Record that an item of the namespace is finished."""
        self._under_way[namespace] -= 1
        if not self._under_way[namespace]:
            del self._under_way[namespace]
        self._unfinished -= 1
        if not self._unfinished:
            self._empty.set()
        self._wake_one()

    async def drained(self) -> None:
        """Wait until all items are finished."""
        await self._empty.wait()

    def _take(self) -> tuple[str, Item] | None:
        for _ in range(len(self._turns)):
            namespace = self._turns.popleft()
            if self._under_way[namespace] >= self._most_of_one:
                self._turns.append(namespace)
                continue
            line = self._lines[namespace]
            _, _, item = heappop(line)
            if line:
                self._turns.append(namespace)
            else:
                del self._lines[namespace]
            self._under_way[namespace] += 1
            return namespace, item
        return None

    def _wake_one(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return
