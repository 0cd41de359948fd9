"""The jobs of each namespace and phase, and of each phase everywhere, in order of creation."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from itertools import chain

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.sorted_list import SortedList
from provisioner_operator.web.index.query import Cursor, Namespaces
from provisioner_operator.web.index.row_store import RowStore
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.shared_values import SharedValues

_EVERYWHERE = ""
"""Stands for all namespaces together."""

Phases = Collection[Phase]
"""Phases to select; all, if there are none."""


class JobLists:
    """Slots of jobs by namespace and phase."""

    def __init__(self, rows: RowStore) -> None:
        self._rows = rows
        self._lists: dict[str, dict[Phase, SortedList[int]]] = {}
        self._places: SharedValues[tuple[str, Phase]] = SharedValues()
        self._place = array("I")
        """Number of the namespace and phase of each slot."""

    def add(self, slot: int, row: JobRow) -> None:
        """Add a job, whose row is stored."""
        namespace, phase = row.job.namespace, row.job.phase
        if slot == len(self._place):
            self._place.append(0)
        self._place[slot] = self._places.take((namespace, phase))
        for each in (namespace, _EVERYWHERE):
            lists = self._lists.setdefault(each, {})
            if phase not in lists:
                lists[phase] = SortedList(self._rows.created.__getitem__, self._rows.uid, _numbers)
            lists[phase].add(slot)

    def remove(self, slot: int, row: JobRow) -> None:
        """Remove a job, whose row is still stored."""
        namespace, phase = row.job.namespace, row.job.phase
        self._places.drop(self._place[slot])
        for each in (namespace, _EVERYWHERE):
            lists = self._lists[each]
            lists[phase].remove(slot)
            if not lists[phase]:
                del lists[phase]
            if not lists:
                del self._lists[each]

    def prepare(self) -> None:
        """Sort now what the first reader of each list would have to."""
        for slots in chain.from_iterable(lists.values() for lists in self._lists.values()):
            next(iter(slots), None)

    def newest(
        self, phases: Phases, namespaces: Namespaces, since: float | None = None, before: Cursor | None = None
    ) -> Iterator[int]:
        """Yield the jobs from the newest to the oldest, from `before` to `since`."""
        lists = (_newest_first(slots, since, before) for _, slots in self._selected(phases, namespaces))
        return merge(*lists, key=self._rows.order, reverse=True)

    def counts(self, phases: Phases, namespaces: Namespaces, since: float | None = None) -> dict[Phase, int]:
        """Count the jobs of each phase."""
        counted: dict[Phase, int] = {}
        for phase, slots in self._selected(phases, namespaces):
            number = len(slots) - _first(slots, since)
            if number:
                counted[phase] = counted.get(phase, 0) + number
        return counted

    def phases_of(self, slots: Iterable[int]) -> dict[Phase, int]:
        """Count the jobs of each phase among these."""
        counted: dict[Phase, int] = {}
        for number, jobs in Counter(map(self._place.__getitem__, slots)).items():
            _, phase = self._places.get(number)
            counted[phase] = counted.get(phase, 0) + jobs
        return counted

    def of_namespace(self, namespace: str) -> Iterator[int]:
        """Yield the jobs of a namespace."""
        return chain.from_iterable(self._lists.get(namespace, {}).values())

    def select(self, slots: Collection[int], phases: Phases, namespaces: Namespaces, since: float | None) -> list[int]:
        """Return those of these jobs that have one of the phases, are in one of the namespaces and new enough."""
        numbers = (self._places.find((namespace, phase)) for namespace in set(namespaces) for phase in phases or Phase)
        wanted = {number for number in numbers if number is not None}
        place, created = self._place, self._rows.created
        if since is not None:
            slots = [slot for slot in slots if created[slot] >= since]
        if len(wanted) == len(self._places):
            return list(slots)
        return [slot for slot in slots if place[slot] in wanted]

    def _selected(self, phases: Phases, namespaces: Namespaces) -> Iterator[tuple[Phase, SortedList[int]]]:
        allowed = frozenset(namespaces)
        has_all = allowed.issuperset(each for each in self._lists if each != _EVERYWHERE)
        for namespace in (_EVERYWHERE,) if has_all else allowed:
            for phase, slots in self._lists.get(namespace, {}).items():
                if not phases or phase in phases:
                    yield phase, slots


def _numbers(slots: Iterable[int]) -> "array[int]":
    return array("I", slots)


def _first(slots: SortedList[int], since: float | None) -> int:
    return 0 if since is None else slots.count_below(since)


def _newest_first(slots: SortedList[int], since: float | None, before: Cursor | None) -> Iterator[int]:
    first = _first(slots, since)
    end = len(slots) if before is None else slots.count_before(before.created, lambda: before.uid)
    return (slots[at] for at in range(end - 1, first - 1, -1))
