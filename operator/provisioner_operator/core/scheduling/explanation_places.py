"""Limit the explanations under way, in all and for each namespace, so that slow or refused ones hold up nobody else.

A namespace may have as many under way as there are places free, and always one: one alone gets half of them, two get a
third each, and one that joins never waits for the others. Used by the job reconciler.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator

PLACES = 64
"""Number of explanations under way beyond which each namespace has one at a time, so that assignments do not wait long."""


class ExplanationPlaces:
    """Jobs whose explanations are under way, and jobs that have to wait for that."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        """Namespaces of the jobs whose explanations are under way, by uid."""
        self._taken_in: Counter[str] = Counter()
        self._held: OrderedDict[str, dict[str, None]] = OrderedDict()
        """Jobs for which there was no place, by namespace."""

    def take(self, uid: str, namespace: str) -> bool:
        """Take a place for the job's explanation; return False if it has to wait."""
        if not self._has_room(namespace):
            self._held.setdefault(namespace, {})[uid] = None
            return False
        self._taken[uid] = namespace
        self._taken_in[namespace] += 1
        return True

    def leave(self, uid: str) -> None:
        """Free the job's place, if it has one."""
        namespace = self._taken.pop(uid, None)
        if namespace is not None:
            self._taken_in[namespace] -= 1
            if not self._taken_in[namespace]:
                del self._taken_in[namespace]

    def admitted(self) -> Iterator[str]:
        """Yield the jobs that no longer have to wait, each removed as it is yielded; the namespaces take turns."""
        while (namespace := next((each for each in self._held if self._has_room(each)), None)) is not None:
            jobs = self._held[namespace]
            uid = next(iter(jobs))
            del jobs[uid]
            if jobs:
                self._held.move_to_end(namespace)
            else:
                del self._held[namespace]
            yield uid

    def _has_room(self, namespace: str) -> bool:
        taken = self._taken_in.get(namespace, 0)
        return taken == 0 or taken < PLACES - len(self._taken)
