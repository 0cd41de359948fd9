"""Find the jobs that meet all conditions of a query but those on namespace, phase, time and progress."""

from collections.abc import Iterable, Iterator
from itertools import chain

from provisioner_operator.core.model.matching import tags_match
from provisioner_operator.web.index.line_text import LineText
from provisioner_operator.web.index.query import JobQuery
from provisioner_operator.web.index.row_store import RowStore
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.terms import Field, Slots, Terms


class JobSearch:
    """Values by which the jobs of a row store are found."""

    def __init__(self, rows: RowStore) -> None:
        self._rows = rows
        self._terms = Terms()
        self._names = LineText(rows.name)

    def add(self, slot: int, row: JobRow) -> None:
        """Note a new job."""
        self._terms.add(slot, row)
        self._names.changed(slot)

    def replace(self, slot: int, former: JobRow, row: JobRow) -> None:
        """Note a later version of a job, which has the same name and uid."""
        self._terms.replace(slot, former, row)

    def remove(self, slot: int, row: JobRow) -> None:
        """Forget a job."""
        self._terms.remove(slot, row)
        self._names.changed(slot)

    def prepare(self) -> None:
        """Do now what the first search would have to."""
        self._names.prepare()
        self._terms.prepare()

    def found(self, query: JobQuery) -> set[int] | None:
        """Return the slots of the jobs that meet all these conditions; None if every job meets them."""
        found: set[int] | None = None
        for condition in self._conditions(query):
            meeting = self._united(condition)
            if len(meeting) == len(self._rows):
                continue  # as if the query had no such condition, which is answered at once
            found = meeting if found is None else found & meeting
            if not found:
                break
        return found

    def of_workspace(self, workspace: str) -> Slots:
        """Return the slots of the jobs of all workspaces of this name, in whatever namespace."""
        return next(iter(self._terms.of(Field.WORKSPACE, workspace)), ())

    def _conditions(self, query: JobQuery) -> Iterator[Iterable[Slots]]:
        """Yield the jobs that meet each condition, in several collections."""
        if query.uids:
            slots = (self._rows.find(uid) for uid in query.uids)
            yield [[slot for slot in slots if slot is not None]]
        if query.tags:
            yield self._terms.tagged(lambda tags: tags_match(tags, query.tags))
        if query.types:
            yield [slots for each in query.types for slots in self._terms.of(Field.TYPE, each)]
        for field, value in (
            (Field.TEMPLATE, query.template),
            (Field.WORKSPACE, query.workspace),
            (Field.DAEMON, query.daemon),
            (Field.INITIATOR, query.initiator),
            (Field.PRIORITY, "" if query.priority is None else str(query.priority)),
        ):
            if value:
                yield self._terms.of(field, value)
        for word in query.text.lower().split():
            # One character is somewhere in nearly every name; at the beginning of a value it says something.
            wanted = f" {word}" if len(word) == 1 else word
            yield chain(self._names.containing(wanted), self._terms.containing(wanted), [self._rows.with_uid(word)])

    def _united(self, collections: Iterable[Slots]) -> set[int]:
        united: set[int] = set()
        for slots in collections:
            united.update(slots)
            if len(united) == len(self._rows):
                break
        return united
