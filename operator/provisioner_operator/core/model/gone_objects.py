"""Remember objects that are over, so that what is observed of them late does not bring them back.

The watch may report a deletion before the answer to a write, or the page of a list, that shows the object as it was.
Used by the caches of the reconcilers.
"""

MOST_REMEMBERED = 8192
"""Maximum number of objects: those of the 20 s that a request may take, at 400 a second."""
DELETED = float("inf")
"""Version of an object that was deleted: no version of it is later."""
_EXISTS = float("-inf")
"""Last version of an object that is not known to be over: all of its versions are later."""


class GoneObjects:
    """Last versions of objects, by uid; the longest remembered are dropped first."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def add(self, uid: str, version: float = DELETED) -> None:
        """Remember that nothing up to this version of the object is news any more."""
        self._last[uid] = max(version, self._last.pop(uid, _EXISTS))
        if len(self._last) > MOST_REMEMBERED:
            del self._last[next(iter(self._last))]

    def has_deleted(self, uid: str) -> bool:
        """Return whether the object is known to be deleted."""
        return self._last.get(uid) == DELETED

    def outdates(self, uid: str, version: int) -> bool:
        """Return whether a later version was the last."""
        return version < self._last.get(uid, _EXISTS)

    def covers(self, uid: str, version: int) -> bool:
        """Return whether this version is known to be outdated."""
        return version <= self._last.get(uid, _EXISTS)
