"""A work queue as controllers know it (client-go's `workqueue`), without threads or a clock: monotonic time is passed in.

A key is handed out when it was added or its deadline has passed, in order of arrival, once however often it was added.
It is passed over while work on it is under way, while it is parked (an object that cannot be parsed), and while it backs
off from a refused write; whatever was added meanwhile is handed out afterwards. Each operation is O(log n).
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.keyed_heap import KeyedHeap

_Key = TypeVar("_Key", bound=Hashable)


class WorkQueue(Generic[_Key]):
    """The keys that need a look, now or later."""

    def __init__(self) -> None:
        self._ready: OrderedDict[_Key, None] = OrderedDict()
        self._later: KeyedHeap[_Key, float] = KeyedHeap()
        self._under_way: set[_Key] = set()
        self._parked: set[_Key] = set()
        self._held: set[_Key] = set()
        """Keys that came up while they were under way or parked."""
        self._backoffs: dict[_Key, Backoff] = {}

    def add(self, *keys: _Key) -> None:
        """Have these looked at as soon as possible."""
        for key in keys:
            self._ready[key] = None

    def add_after(self, key: _Key, when: float | None) -> None:
        """Have the key looked at at that time, instead of at the time that was given before; None: at no time."""
        if when is None:
            self._later.discard(key)
        else:
            self._later.put(key, when)

    def pop(self, now: float) -> _Key | None:
        """Return the next key to look at, which leaves the queue; None if there is none."""
        self._make_ready(now)
        while self._ready:
            key, _ = self._ready.popitem(last=False)
            if key in self._under_way or key in self._parked:
                self._held.add(key)
            elif (backoff := self._backoffs.get(key)) is not None and backoff.is_active(now):
                # Replaces a later deadline, which the look sets anew, and an earlier one, which has just passed.
                self._later.put(key, backoff.until)
            else:
                return key
        return None

    def ready(self, now: float) -> tuple[_Key, ...]:
        """Return all keys that are due, which stay, also those that `pop` would pass over."""
        self._make_ready(now)
        return tuple(self._ready)

    def next_wake(self) -> float | None:
        """Return when the first deadline passes; None if there is none. To be asked once `pop` returns None."""
        first = self._later.peek()
        return None if first is None else first[0]

    # --- work under way ---

    def begin(self, key: _Key) -> None:
        """Work on the key is under way: it is not handed out until that is done."""
        self._under_way.add(key)

    def is_under_way(self, key: _Key) -> bool:
        """Whether the key is not to be touched."""
        return key in self._under_way

    def done(self, key: _Key) -> None:
        """Work on the key has ended."""
        self._under_way.discard(key)
        self._release(key)

    # --- keys that cannot be worked on ---

    def park(self, key: _Key) -> None:
        """Do not hand the key out until it is unparked."""
        self._parked.add(key)

    def is_parked(self, key: _Key) -> bool:
        """Whether the key cannot be worked on."""
        return key in self._parked

    def unpark(self, key: _Key) -> None:
        """Hand the key out again."""
        if key in self._parked:
            self._parked.discard(key)
            self._release(key)

    # --- refused keys ---

    def back_off(self, key: _Key, kind: str, refusal: Refusal, now: float) -> bool:
        """Do not hand the key out for a while, longer each time in a row; return whether the refusal is news."""
        return self._backoffs.setdefault(key, Backoff()).refused(kind, refusal, now)

    def backs_off(self, key: _Key, now: float) -> bool:
        """Whether the key is not to be tried yet."""
        backoff = self._backoffs.get(key)
        return backoff is not None and backoff.is_active(now)

    def forget(self, key: _Key) -> None:
        """Forget the key's refusals: a write succeeded, or something changed that may make it succeed."""
        self._backoffs.pop(key, None)

    # --- keys that are gone ---

    def discard(self, key: _Key) -> None:
        """Keep nothing of the key, but for work that is under way until it is done."""
        self._ready.pop(key, None)
        self._later.discard(key)
        self._parked.discard(key)
        self._held.discard(key)
        self._backoffs.pop(key, None)

    # --- inside ---

    def _make_ready(self, now: float) -> None:
        for key in self._later.pop_due(now):
            self._ready[key] = None

    def _release(self, key: _Key) -> None:
        if key in self._held and key not in self._under_way and key not in self._parked:
            self._held.discard(key)
            self._ready[key] = None
