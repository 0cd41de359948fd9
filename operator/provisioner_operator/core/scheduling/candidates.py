"""Reduce a fleet to the daemons that can make a difference to an explanation: one of each kind.

Explanations compare a demand with daemons; thousands of a pool differ in nothing but their names. Used by the job
reconciler, which says which daemons have changed: only these are looked at again, when next something is explained.
"""

from collections.abc import Callable, Iterable

from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.scheduling.smallest_change import Candidate


class _Kind:
    """Daemons of one namespace that differ in nothing but their names."""

    __slots__ = ("key", "names", "namespace")

    def __init__(self, namespace: str, key: tuple[object, ...]) -> None:
        self.namespace = namespace
        self.key = key
        self.names: KeyedHeap[str, str] = KeyedHeap()
        """Uids, by name."""


class DaemonKinds:
    """Daemons by namespace and kind, of which the one whose name sorts first stands for all."""

    def __init__(self, candidate_of: Callable[[str], Candidate]) -> None:
        """`candidate_of` returns a daemon by its uid, as it is now."""
        self._candidate_of = candidate_of
        self._changed: set[str] = set()
        self._kinds: dict[str, dict[tuple[object, ...], _Kind]] = {}
        self._kind_of: dict[str, _Kind] = {}

    def change(self, uid: str) -> None:
        """Note that a daemon is new, or not as it was."""
        self._changed.add(uid)

    def discard(self, uid: str) -> None:
        """Remove a daemon that is gone."""
        self._changed.discard(uid)
        self._take_out(uid)

    def candidates(self, namespace: str, also: Iterable[str] = ()) -> list[Candidate]:
        """Return a daemon of each kind that the namespace has, and those with the uids `also`."""
        for uid in self._changed:
            self._renew(uid)
        self._changed.clear()
        firsts = (kind.names.first() for kind in self._kinds.get(namespace, {}).values())
        return [self._candidate_of(uid) for uid in dict.fromkeys((*firsts, *also))]

    def _renew(self, uid: str) -> None:
        candidate = self._candidate_of(uid)
        namespace, key, known = candidate.daemon.namespace, _key(candidate), self._kind_of.get(uid)
        if known is not None and known.key == key:
            return
        self._take_out(uid)
        kinds = self._kinds.setdefault(namespace, {})
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = _Kind(namespace, key)
        kind.names.put(uid, candidate.daemon.name)
        self._kind_of[uid] = kind

    def _take_out(self, uid: str) -> None:
        kind = self._kind_of.pop(uid, None)
        if kind is None:
            return
        kind.names.discard(uid)
        if not len(kind.names):
            kinds = self._kinds[kind.namespace]
            del kinds[kind.key]
            if not kinds:
                del self._kinds[kind.namespace]


def _key(candidate: Candidate) -> tuple[object, ...]:
    """Return everything that an explanation depends on, apart from the name."""
    daemon = candidate.daemon
    return (daemon.supply, daemon.state, daemon.cordoned, candidate.online, candidate.free, candidate.starting)
