"""Queue keys by priority so that they can be moved and removed: the data structure behind queues and timeouts.

Stale entries stay in the heap until they surface or outnumber the current ones, so each operation is amortized O(log
n).
"""

from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key")
_Priority = TypeVar("_Priority", bound=Any)

_STALE_TOLERATED = 64


class KeyedHeap(Generic[_Key, _Priority]):
    """Keys by priority, the smallest first; equal priorities in order of arrival."""

    def __init__(self) -> None:
        self._heap: list[tuple[_Priority, int, _Key]] = []
        self._current: dict[_Key, tuple[_Priority, int, _Key]] = {}
        """Current entry of each key: the very object that the heap holds, since there may be very many."""
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._current)

    def __contains__(self, key: _Key) -> bool:
        return key in self._current

    def put(self, key: _Key, priority: _Priority) -> None:
        """Add a key, or move it to another priority."""
        known = self._current.get(key)
        if known is not None and known[0] == priority:
            return
        self._arrivals += 1
        self._current[key] = entry = (priority, self._arrivals, key)
        heappush(self._heap, entry)
        self._compact()

    def discard(self, key: _Key) -> None:
        """Remove a key if it is present."""
        if self._current.pop(key, None) is not None:
            self._compact()

    def peek(self) -> tuple[_Priority, _Key] | None:
        """Return the first entry without removing it; None when empty."""
        heap = self._heap
        while heap:
            entry = heap[0]
            if self._current.get(entry[2]) is entry:
                return entry[0], entry[2]
            heappop(heap)
        return None

    def first(self) -> _Key:
        """Return the first key without removing it. Raises LookupError when empty."""
        return self.first_entry()[1]

    def first_entry(self) -> tuple[_Priority, _Key]:
        """Return the first entry without removing it. Raises LookupError when empty."""
        entry = self.peek()
        if entry is None:
            raise LookupError("the heap is empty")
        return entry

    def pop(self) -> tuple[_Priority, _Key] | None:
        """Remove and return the first entry; None when empty."""
        first = self.peek()
        if first is not None:
            heappop(self._heap)
            del self._current[first[1]]
        return first

    def pop_due(self, limit: _Priority) -> list[_Key]:
        """Remove and return all keys with a priority of at most `limit`, in order."""
        due: list[_Key] = []
        while (first := self.peek()) is not None and first[0] <= limit:
            self.pop()
            due.append(first[1])
        return due

    def _compact(self) -> None:
        """Rebuild the heap once most of it is stale, so that it does not keep removed keys alive."""
        if len(self._heap) > 2 * len(self._current) + _STALE_TOLERATED:
            self._heap = list(self._current.values())
            heapify(self._heap)
