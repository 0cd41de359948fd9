"""Find jobs by what they have in common: which values of a field exist, and which jobs have each.

A word is compared with the distinct values only, then the jobs of those that contain it are looked up: a hundred thousand
jobs have a few hundred templates, users and daemons. Jobs are known by their slots, four bytes for each value.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum

from provisioner_operator.core.model.matching import UNTAGGED, Tags
from provisioner_operator.web.index.line_text import LineText
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.shared_values import SharedValues

Value = str | Tags
"""A value of a field; the effective tags of a job are one value."""
Slots = Collection[int]
"""Numbers of jobs."""


class Field(StrEnum):
    """A field by which jobs are found."""

    WORKSPACE = "workspace"
    TEMPLATE = "template"
    INITIATOR = "initiator"
    DAEMON = "daemon"
    TYPE = "type"
    PRIORITY = "priority"
    TAGS = "tags"


SEARCHED = (Field.WORKSPACE, Field.TEMPLATE, Field.INITIATOR, Field.DAEMON, Field.TAGS)
"""Fields whose values words are compared with."""


class Terms:
    """The values of each field, with the jobs that have them."""

    def __init__(self) -> None:
        self._fields = {field: _FieldTerms() for field in Field}

    def add(self, slot: int, row: JobRow) -> None:
        """Note the values of a job."""
        for field, value in _values(row):
            self._fields[field].add(slot, value)

    def remove(self, slot: int, row: JobRow) -> None:
        """Drop the values of a job."""
        for field, value in _values(row):
            self._fields[field].remove(slot, value)

    def replace(self, slot: int, former: JobRow, row: JobRow) -> None:
        """Note the values of a job's new version."""
        before, after = dict(_values(former)), dict(_values(row))
        for field, value in before.items() - after.items():
            self._fields[field].remove(slot, value)
        for field, value in after.items() - before.items():
            self._fields[field].add(slot, value)

    def prepare(self) -> None:
        """Do now what the first search would have to."""
        for field in SEARCHED:
            self._fields[field].prepare()

    def of(self, field: Field, value: Value) -> list[Slots]:
        """Return the jobs that have exactly this value, in one collection or none."""
        return self._fields[field].of(value)

    def tagged(self, is_wanted: Callable[[Tags], bool]) -> list[Slots]:
        """Return the jobs whose tags are wanted, one collection for each set of tags."""
        tags = self._fields[Field.TAGS]
        return [
            slots
            for value in tags.values()
            if not isinstance(value, str) and is_wanted(value)
            for slots in tags.of(value)
        ]

    def containing(self, word: str) -> Iterator[Slots]:
        """Yield the jobs that have a value which contains this word, in lower case; a collection for each such value."""
        for field in SEARCHED:
            yield from self._fields[field].containing(word)


class _FieldTerms:
    """The values of one field."""

    def __init__(self) -> None:
        self._values: SharedValues[Value] = SharedValues()
        self._slots: list[array[int]] = []
        """Slots of the jobs that have each value, ascending, by the value's number."""
        self._text = LineText(self._line_of)

    def values(self) -> Iterator[Value]:
        return (value for _, value in self._values.items())

    def of(self, value: Value) -> list[Slots]:
        number = self._values.find(value)
        return [] if number is None else [self._slots[number]]

    def prepare(self) -> None:
        self._text.prepare()

    def containing(self, word: str) -> Iterator[Slots]:
        return (self._slots[number] for block in self._text.containing(word) for number in block)

    def add(self, slot: int, value: Value) -> None:
        number = self._values.take(value)
        if number == len(self._slots):
            self._slots.append(array("I"))
        slots = self._slots[number]
        if not slots:
            self._text.changed(number)
        if not slots or slots[-1] < slot:
            slots.append(slot)
        else:
            slots.insert(bisect_left(slots, slot), slot)

    def remove(self, slot: int, value: Value) -> None:
        number = self._values.find(value)
        if number is not None:
            slots = self._slots[number]
            del slots[bisect_left(slots, slot)]
            self._values.drop(number)
            if not slots:
                self._text.changed(number)

    def _line_of(self, number: int) -> str:
        if number >= len(self._slots) or not self._slots[number]:
            return ""
        value = self._values.get(number)
        if isinstance(value, str):
            return " ".join(value.split())
        # Without the implied tags; two tags never contain a word together.
        return " ".join(sorted(f"{key}={tag}" for key, tag in value - UNTAGGED))


def _values(row: JobRow) -> Iterator[tuple[Field, Value]]:
    job = row.job
    yield Field.TYPE, job.type
    yield Field.PRIORITY, str(job.priority)
    yield Field.TAGS, job.demand.tags
    if job.workspace is not None:
        yield Field.WORKSPACE, job.workspace
    if row.template is not None:
        yield Field.TEMPLATE, row.template
    if job.initiator is not None:
        yield Field.INITIATOR, job.initiator
    if job.assignment is not None:
        yield Field.DAEMON, job.assignment.daemon
