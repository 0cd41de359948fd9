"""Find the object that bears a name now, among those that have borne it. Used by the caches of the reconcilers."""


class CurrentUids:
    """Uids by namespace and name, of the last object of that name that was observed."""

    def __init__(self) -> None:
        self._uids: dict[tuple[str, str], str] = {}

    def add(self, place: tuple[str, str], uid: str) -> None:
        """Record that this object has the name."""
        self._uids[place] = uid

    def remove(self, place: tuple[str, str], uid: str) -> None:
        """Record that this object is gone, unless a successor has the name already: deletions may be observed late."""
        if self._uids.get(place) == uid:
            del self._uids[place]

    def get(self, place: tuple[str, str]) -> str:
        """Return the uid; empty if there is none."""
        return self._uids.get(place, "")
