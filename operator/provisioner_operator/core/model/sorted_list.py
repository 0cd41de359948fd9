"""Keep items sorted while they come and go: the data structure behind pages of a list and places in a queue.

Most items arrive in order and are appended. Those that arrive late wait beside the list until somebody reads it, and are
then sorted in together if they are many: inserting each of 100,000 into its place would be quadratic.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar, overload

from typing_extensions import override

_Item = TypeVar("_Item")

_FEW = 64
"""Late items up to which each is inserted into its place; more are sorted in together."""


class SortedList(Sequence[_Item], Generic[_Item]):
    """Items in ascending order of a cheap key, and items of equal keys in order of `tie`, which may be expensive.

    No two items are equal in both. Neither may change while the item is in the list.
    """

    __slots__ = ("_items", "_key", "_late", "_make", "_tie")

    def __init__(
        self,
        key: Callable[[_Item], Any],
        tie: Callable[[_Item], Any],
        make: Callable[[Iterable[_Item]], MutableSequence[_Item]] = list,
    ) -> None:
        """`make` returns the sequence that holds the items, such as an array of numbers."""
        self._key = key
        self._tie = tie
        self._make = make
        self._items = make(())
        self._late = make(())

    @override
    def __len__(self) -> int:
        return len(self._items) + len(self._late)

    @overload
    def __getitem__(self, at: int) -> _Item: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[_Item]: ...
    @override
    def __getitem__(self, at: int | slice) -> _Item | Sequence[_Item]:
        return self._settled()[at]

    @override
    def __iter__(self) -> Iterator[_Item]:
        return iter(self._settled())

    def add(self, item: _Item) -> None:
        """Add an item."""
        if self._is_last(item):
            self._items.append(item)
        else:
            self._late.append(item)

    def remove(self, item: _Item) -> None:
        """Remove an item. Raises LookupError if there is none of its key and tie."""
        at = self.index_of(item)
        if at == len(self._items) or self._order(self._items[at]) != self._order(item):
            raise LookupError(f"{item!r} is not in the list")
        del self._items[at]

    def index_of(self, item: _Item) -> int:
        """Return the number of items that come before this one, which need not be in the list."""
        return self.count_before(self._key(item), lambda: self._tie(item))

    def count_before(self, key: Any, tie: Callable[[], Any]) -> int:
        """Return the number of items that come before this key and tie."""
        items = self._settled()
        first = bisect_left(items, key, key=self._key)
        if first == len(items) or self._key(items[first]) != key:
            return first
        last = bisect_right(items, key, lo=first, key=self._key)
        return bisect_left(items, tie(), lo=first, hi=last, key=self._tie)

    def count_below(self, key: Any) -> int:
        """Return the number of items with a smaller key."""
        return bisect_left(self._settled(), key, key=self._key)

    def _is_last(self, item: _Item) -> bool:
        if not self._items:
            return True
        key, last = self._key(item), self._key(self._items[-1])
        return bool(last < key or (last == key and self._tie(self._items[-1]) < self._tie(item)))

    def _settled(self) -> MutableSequence[_Item]:
        if self._late:
            self._settle()
        return self._items

    def _settle(self) -> None:
        late, self._late = self._late, self._make(())
        if len(late) <= _FEW:
            for item in late:
                insort(self._items, item, key=self._order)
        else:
            self._items = self._make(self._sorted([*self._items, *late]))

    def _order(self, item: _Item) -> tuple[Any, Any]:
        return self._key(item), self._tie(item)

    def _sorted(self, items: list[_Item]) -> list[_Item]:
        items.sort(key=self._key)
        keys = list(map(self._key, items))
        starts = [0, *(at for at, (one, other) in enumerate(pairwise(keys), start=1) if one != other), len(items)]
        for start, end in pairwise(starts):
            if end - start > 1:
                items[start:end] = sorted(items[start:end], key=self._tie)
        return items
