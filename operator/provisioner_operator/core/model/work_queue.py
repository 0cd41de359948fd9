"""Queue the keys to reconcile, like client-go's `workqueue`, without threads or a clock: monotonic time is passed in.

Keys are popped in order of arrival, after they were added or their deadline passed; a key that was added several times is
popped once. A key is held back while work on it is under way, while it is parked (its object cannot be parsed), and while
it backs off from a refused write; if it was added meanwhile, it is popped afterwards. Each operation is O(log n). Used by
the job and the workspace reconciler.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.keyed_heap import KeyedHeap

_Key = TypeVar("_Key", bound=Hashable)


class WorkQueue(Generic[_Key]):
    """Keys that are to be reconciled, now or later."""

    def __init__(self) -> None:
        self._ready: OrderedDict[_Key, None] = OrderedDict()
        self._later: KeyedHeap[_Key, float] = KeyedHeap()
        self._under_way: set[_Key] = set()
        self._parked: set[_Key] = set()
        self._held: set[_Key] = set()
        """Keys that became due while they were under way or parked."""
        self._backoffs: dict[_Key, Backoff] = {}

    def add(self, *keys: _Key) -> None:
        """Add keys that are to be reconciled as soon as possible."""
        for key in keys:
            self._ready[key] = None

    def add_after(self, key: _Key, when: float | None) -> None:
        """Set the key's deadline, which replaces its former one; None removes it."""
        if when is None:
            self._later.discard(key)
        else:
            self._later.put(key, when)

    def pop(self, now: float) -> _Key | None:
        """Remove and return the next key; None if there is none."""
        self._make_ready(now)
        while self._ready:
            key, _ = self._ready.popitem(last=False)
            if key in self._under_way or key in self._parked:
                self._held.add(key)
            elif (backoff := self._backoffs.get(key)) is not None and backoff.is_active(now):
                # Replaces a later deadline, which reconciling sets again, and an earlier one, which has just passed.
                self._later.put(key, backoff.until)
            else:
                return key
        return None

    def ready(self, now: float) -> tuple[_Key, ...]:
        """Return all keys that are due without removing them, including those that `pop` would hold back."""
        self._make_ready(now)
        return tuple(self._ready)

    def next_wake(self) -> float | None:
        """Return the first deadline; None if there is none. Meaningful once `pop` has returned None."""
        first = self._later.peek()
        return None if first is None else first[0]

    # --- work under way ---

    def begin(self, key: _Key) -> None:
        """Hold the key back until `done`, because work on it is under way."""
        self._under_way.add(key)

    def is_under_way(self, key: _Key) -> bool:
        """Return whether work on the key is under way."""
        return key in self._under_way

    def done(self, key: _Key) -> None:
        """End the work on the key."""
        self._under_way.discard(key)
        self._release(key)

    # --- keys that cannot be worked on ---

    def park(self, key: _Key) -> None:
        """Hold the key back until `unpark`."""
        self._parked.add(key)

    def unpark(self, key: _Key) -> None:
        """Stop holding back a parked key."""
        if key in self._parked:
            self._parked.discard(key)
            self._release(key)

    # --- refused keys ---

    def back_off(self, key: _Key, kind: str, refusal: Refusal, now: float) -> bool:
        """Hold the key back for a pause that grows with each consecutive refusal; return whether to report this one."""
        return self._backoffs.setdefault(key, Backoff()).refused(kind, refusal, now)

    def forget(self, key: _Key) -> None:
        """Reset the key's backoff: a write succeeded, or something changed that may make it succeed."""
        self._backoffs.pop(key, None)

    # --- keys that are gone ---

    def discard(self, key: _Key) -> None:
        """Remove everything about the key, except that work on it may still be under way."""
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
