"""Find jobs by what they have in common: which values of a field exist, and which jobs have each.

A word is compared with the distinct values only, then the jobs of those that contain it are looked up: a hundred thousand
jobs have a few hundred templates, users and daemons. Jobs are known by small numbers (slots), four bytes for each value.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum

from provisioner_operator.core.model.matching import UNTAGGED, Tags
from provisioner_operator.web.index.rows import JobRow

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
    TAGS = "tags"


SEARCHED = (Field.WORKSPACE, Field.TEMPLATE, Field.INITIATOR, Field.DAEMON, Field.TAGS)
"""Fields whose values words are compared with."""


class _Postings:
    __slots__ = ("slots", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.slots: "array[int]" = array("I")  # noqa: UP037 - not subscriptable before Python 3.12


class Terms:
    """The values of each field, with the jobs that have them."""

    def __init__(self) -> None:
        self._values: dict[Field, dict[Value, _Postings]] = {field: {} for field in Field}

    def add(self, slot: int, row: JobRow) -> None:
        """Note the values of a job."""
        for field, value in _values(row):
            postings = self._values[field].get(value)
            if postings is None:
                postings = self._values[field][value] = _Postings(_text(value))
            if not postings.slots or postings.slots[-1] < slot:
                postings.slots.append(slot)
            else:
                postings.slots.insert(bisect_left(postings.slots, slot), slot)

    def remove(self, slot: int, row: JobRow) -> None:
        """Drop the values of a job."""
        for field, value in _values(row):
            postings = self._values[field][value]
            del postings.slots[bisect_left(postings.slots, slot)]
            if not postings.slots:
                del self._values[field][value]

    def replace(self, slot: int, former: JobRow, row: JobRow) -> None:
        """Note the values of a job's new version."""
        if list(_values(former)) != list(_values(row)):
            self.remove(slot, former)
            self.add(slot, row)

    def of(self, field: Field, value: str) -> list[Slots]:
        """Return the jobs that have exactly this value."""
        postings = self._values[field].get(value)
        return [] if postings is None else [postings.slots]

    def tagged(self, is_wanted: Callable[[Tags], bool]) -> list[Slots]:
        """Return the jobs whose tags are wanted, one list for each set of tags."""
        return [
            postings.slots
            for tags, postings in self._values[Field.TAGS].items()
            if isinstance(tags, frozenset) and is_wanted(tags)
        ]

    def containing(self, word: str) -> list[Slots]:
        """Return the jobs that have a value which contains this word, in lower case; one list for each such value."""
        return [
            postings.slots for field in SEARCHED for postings in self._values[field].values() if word in postings.text
        ]


def _values(row: JobRow) -> Iterator[tuple[Field, Value]]:
    job = row.job
    yield Field.TYPE, job.type
    yield Field.TAGS, job.demand.tags
    if job.workspace is not None:
        yield Field.WORKSPACE, job.workspace
    if row.template is not None:
        yield Field.TEMPLATE, row.template
    if job.initiator is not None:
        yield Field.INITIATOR, job.initiator
    if job.assignment is not None:
        yield Field.DAEMON, job.assignment.daemon


def _text(value: Value) -> str:
    """Return what words are compared with: tags as `key=value`, each in a line of its own, without the implied ones."""
    if isinstance(value, str):
        return value.lower()
    return "\n".join(sorted(f"{key}={tag}" for key, tag in value - UNTAGGED)).lower()
