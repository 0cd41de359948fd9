"""A queue that serves namespaces in turn, each in the order in which its work came.

However much one namespace has to do, and however slowly or in vain, the next of every other namespace is only a turn
away. At most so many of one namespace are under way at once, so that some room is always left for the others.
"""

import asyncio
from collections import Counter, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Work by namespace."""

    def __init__(self, most_of_one: int) -> None:
        """`most_of_one` is how many of one namespace may be under way."""
        self._most_of_one = most_of_one
        self._lines: dict[str, deque[Item]] = {}
        self._turns: deque[str] = deque()
        """The namespaces that have a line, in the order of their turns."""
        self._under_way: Counter[str] = Counter()
        self._unfinished = 0
        self._getters: deque[asyncio.Future[None]] = deque()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, namespace: str, item: Item) -> None:
        """Add work of a namespace."""
        if namespace not in self._lines:
            self._lines[namespace] = deque()
            self._turns.append(namespace)
        self._lines[namespace].append(item)
        self._unfinished += 1
        self._empty.clear()
        self._wake_one()

    async def get(self) -> tuple[str, Item]:
        """Return whose turn it is and its work, once there is any; to be followed by `done`."""
        while (found := self._take()) is None:
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake_one()  # it was woken for work that somebody else has to take now
                elif getter in self._getters:  # unless it was passed over already, since it is canceled
                    self._getters.remove(getter)
                raise
        return found

    def done(self, namespace: str) -> None:
        """The work that was got is done."""
        self._under_way[namespace] -= 1
        if not self._under_way[namespace]:
            del self._under_way[namespace]
        self._unfinished -= 1
        if not self._unfinished:
            self._empty.set()
        self._wake_one()

    async def drained(self) -> None:
        """Return once all that was put is done."""
        await self._empty.wait()

    def _take(self) -> tuple[str, Item] | None:
        for _ in range(len(self._turns)):
            namespace = self._turns.popleft()
            if self._under_way[namespace] >= self._most_of_one:
                self._turns.append(namespace)
                continue
            line = self._lines[namespace]
            item = line.popleft()
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
