"""Find slots by a key that their rows have, such as the uid, without keeping the keys: a dozen bytes for each row.

An open hash table of slots and hashes. The caller says which key a slot's row has; a row is looked at only where the hash
is equal.
"""

from array import array
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)

_NONE, _REMOVED = 0, 1
_FIRST = 2
"""Number that stands for slot 0: what is below has another meaning."""
_SMALLEST = 64
_HASH_BITS = 0xFFFFFFFF


class SlotTable(Generic[_Key]):
    """Slots by the key of their rows. A key is added after its row is stored, and removed before it is dropped."""

    def __init__(self, key_of: Callable[[int], _Key]) -> None:
        self._key_of = key_of
        self._size = 0
        self._taken = 0
        """Places with a slot, or where one was removed."""
        self._make(_SMALLEST)

    def __len__(self) -> int:
        return self._size

    def find(self, key: _Key) -> int | None:
        """Return the slot of the row that has this key; None if there is none."""
        place = self._place_of(key)
        return None if place is None else self._places[place] - _FIRST

    def add(self, key: _Key, slot: int) -> None:
        """Note a slot; it replaces the one that had the key."""
        known = self._place_of(key)
        if known is not None:
            self._places[known] = slot + _FIRST
            return
        # At most two thirds are taken, so that a search ends soon.
        if 3 * (self._taken + 1) > 2 * len(self._places):
            self._grow()
        self._insert(hash(key) & _HASH_BITS, slot + _FIRST)
        self._size += 1

    def remove(self, key: _Key, slot: int) -> None:
        """Forget a slot; another one that has its key by now stays."""
        place = self._place_of(key)
        if place is not None and self._places[place] == slot + _FIRST:
            self._places[place] = _REMOVED
            self._size -= 1

    def _place_of(self, key: _Key) -> int | None:
        places, mask = self._places, len(self._places) - 1
        wanted = hash(key) & _HASH_BITS
        place = wanted & mask
        # A third of the places has nothing, which ends each search.
        while (taken := places[place]) != _NONE:
            if taken != _REMOVED and self._hashes[place] == wanted and self._key_of(taken - _FIRST) == key:
                return place
            place = (place + 1) & mask
        return None

    def _insert(self, wanted: int, taken: int) -> None:
        places, mask = self._places, len(self._places) - 1
        place = wanted & mask
        while places[place] != _NONE:
            place = (place + 1) & mask
        places[place] = taken
        self._hashes[place] = wanted
        self._taken += 1

    def _grow(self) -> None:
        former = zip(self._hashes, self._places, strict=True)
        kept = [(wanted, taken) for wanted, taken in former if taken not in (_NONE, _REMOVED)]
        capacity = _SMALLEST
        while capacity < 2 * (self._size + 1):
            capacity *= 2
        self._make(capacity)
        for wanted, taken in kept:
            self._insert(wanted, taken)

    def _make(self, capacity: int) -> None:
        self._places = array("I", bytes(4 * capacity))
        self._hashes = array("I", bytes(4 * capacity))
        self._taken = 0
