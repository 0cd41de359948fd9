"""All jobs: sorted by their creation, searchable, counted.

The jobs of each namespace and phase are a list of their own in order of creation, so that new jobs are appended and a page
is found at any depth. What a query asks beyond namespace, phase and time is answered by `terms` and by the names.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge, nlargest
from itertools import islice
from operator import attrgetter

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.matching import tags_match
from provisioner_operator.core.model.sorted_list import SortedList
from provisioner_operator.web.index.query import Counts, Cursor, JobQuery, Namespaces, Page
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.terms import Field, Slots, Terms

_PART_OF_UID = re.compile(r"[0-9a-f-]+")

_created = attrgetter("job.created")
_uid = attrgetter("job.uid")

StuckJobs = Callable[[Namespaces], Collection[str]]
"""Function that returns the uids of the stuck jobs of some namespaces."""


class JobIndex:
    """The rows of all jobs."""

    def __init__(self, stuck_jobs: StuckJobs) -> None:
        self._stuck_jobs = stuck_jobs
        self._rows: list[JobRow | None] = []
        """Rows by slot."""
        self._free: list[int] = []
        """Slots without a row."""
        self._slots: dict[str, int] = {}
        """Slots by uid."""
        self._names: dict[str, dict[str, int]] = {}
        """Slots by namespace and name."""
        self._lists: dict[str, dict[Phase, SortedList[JobRow]]] = {}
        self._initiators: dict[str, Counter[str]] = {}
        self._terms = Terms()

    def __len__(self) -> int:
        return len(self._slots)

    # --- changes ---

    def put(self, row: JobRow) -> None:
        """Add a job, or replace its former version."""
        job = row.job
        slot = self._slots.get(job.uid)
        if slot is not None:
            self._replace(slot, self._row(slot), row)
            return
        slot = self._free.pop() if self._free else len(self._rows)
        if slot == len(self._rows):
            self._rows.append(row)
        else:
            self._rows[slot] = row
        self._slots[job.uid] = slot
        self._names.setdefault(job.namespace, {})[job.name] = slot
        self._list(row).add(row)
        self._terms.add(slot, row)
        if job.initiator is not None:
            self._initiators.setdefault(job.namespace, Counter())[job.initiator] += 1

    def _replace(self, slot: int, former: JobRow, row: JobRow) -> None:
        self._rows[slot] = row
        if former.job.phase is row.job.phase:
            self._list(row).replace(row)
        else:
            self._list(former).remove(former)
            self._list(row).add(row)
        self._terms.replace(slot, former, row)

    def remove(self, uid: str) -> JobRow | None:
        """Remove a job, and return its row."""
        slot = self._slots.pop(uid, None)
        if slot is None:
            return None
        row = self._row(slot)
        job = row.job
        self._rows[slot] = None
        self._free.append(slot)
        if (names := self._names[job.namespace]).get(job.name) == slot:
            del names[job.name]
        self._list(row).remove(row)
        self._terms.remove(slot, row)
        if job.initiator is not None:
            counted = self._initiators[job.namespace]
            counted[job.initiator] -= 1
            if not counted[job.initiator]:
                del counted[job.initiator]
        return row

    # --- questions ---

    def get(self, uid: str) -> JobRow | None:
        """Return the job of this uid."""
        slot = self._slots.get(uid)
        return None if slot is None else self._rows[slot]

    def named(self, namespace: str, name: str) -> JobRow | None:
        """Return the job of this name."""
        slot = self._names.get(namespace, {}).get(name)
        return None if slot is None else self._rows[slot]

    def page(self, query: JobQuery, namespaces: Namespaces, limit: int | None) -> Page:
        """Return the next jobs of the query, newest first; all of them if `limit` is None."""
        found = self._found(query, namespaces)
        if found is None:
            lists = list(self._selected(query.phases, namespaces))
            total = sum(len(each) - _first(each, query.since) for each in lists)
            rows: Iterable[JobRow] = merge(*(_newest_first(each, query) for each in lists), key=_order, reverse=True)
        else:
            hits = [row for row in found if not query.phases or row.job.phase in query.phases]
            total = len(hits)
            following = (row for row in hits if query.before is None or _order(row) < _place(query.before))
            if limit is None:
                rows = sorted(following, key=_order, reverse=True)
            else:
                rows = nlargest(limit + 1, following, key=_order)
        shown = list(rows if limit is None else islice(rows, limit + 1))
        if limit is None or len(shown) <= limit:
            return Page(shown, None, total)
        shown.pop()
        last = shown[-1].job if shown else None
        return Page(shown, Cursor(last.created, last.uid) if last is not None else None, total)

    def counts(self, namespaces: Namespaces, query: JobQuery | None = None) -> Counts:
        """Count the jobs that the query selects, whatever it says about phases and stuck jobs."""
        query = query or JobQuery()
        everything = JobQuery(
            text=query.text,
            uids=query.uids,
            tags=query.tags,
            types=query.types,
            template=query.template,
            workspace=query.workspace,
            daemon=query.daemon,
            initiator=query.initiator,
            since=query.since,
        )
        stuck = self._stuck_jobs(namespaces)
        found = self._found(everything, namespaces)
        if found is not None:
            counted = Counter(row.job.phase for row in found)
            return Counts(dict(counted), sum(row.job.uid in stuck for row in found))
        phases: Counter[Phase] = Counter()
        for namespace in namespaces:
            for phase, rows in self._lists.get(namespace, {}).items():
                phases[phase] += len(rows) - _first(rows, query.since)
        if query.since is None:
            return Counts(dict(+phases), len(stuck))
        return Counts(dict(+phases), sum(self._is_since(uid, query.since) for uid in stuck))

    def initiators(self, namespaces: Namespaces) -> set[str]:
        """Return the users who requested jobs of these namespaces."""
        return {name for namespace in namespaces for name in self._initiators.get(namespace, ())}

    def of_workspace(self, namespace: str, workspace: str) -> list[JobRow]:
        """Return the jobs of the workspace, newest first."""
        found = (self._row(slot) for slots in self._terms.of(Field.WORKSPACE, workspace) for slot in slots)
        return sorted((row for row in found if row.job.namespace == namespace), key=_order, reverse=True)

    def ended(self, namespace: str, limit: int) -> list[JobRow]:
        """Return the newest of the namespace's jobs that ran and have ended."""
        lists = self._selected((Phase.COMPLETED, Phase.FAILED, Phase.CANCELED), (namespace,))
        return list(islice(merge(*map(reversed, lists), key=_order, reverse=True), limit))

    def versions(self, namespace: str | None = None) -> Mapping[str, int]:
        """Return the jobs' resource versions by uid, of one namespace or of all."""
        jobs = (row.job for row in self._rows if row is not None)
        return {job.uid: job.resource_version for job in jobs if namespace in (None, job.namespace)}

    # --- inside ---

    def _found(self, query: JobQuery, namespaces: Namespaces) -> list[JobRow] | None:
        """Return the jobs that meet all conditions but those on phase and place; None if there are no others."""
        conditions = list(self._conditions(query, namespaces))
        if not conditions:
            return None
        conditions.sort(key=lambda slots: sum(map(len, slots)))
        found: set[int] = set().union(*conditions[0])
        for slots in conditions[1:]:
            found.intersection_update(set().union(*slots))
        allowed, since = frozenset(namespaces), query.since
        rows = (self._row(slot) for slot in found)
        return [row for row in rows if row.job.namespace in allowed and (since is None or row.job.created >= since)]

    def _conditions(self, query: JobQuery, namespaces: Namespaces) -> Iterator[Sequence[Slots]]:
        """Yield for each condition the jobs that meet it."""
        if query.uids:
            yield [[self._slots[uid] for uid in query.uids if uid in self._slots]]
        if query.stuck:
            yield [[self._slots[uid] for uid in self._stuck_jobs(namespaces)]]
        if query.tags:
            yield self._terms.tagged(lambda tags: tags_match(tags, query.tags))
        if query.types:
            yield [slots for each in query.types for slots in self._terms.of(Field.TYPE, each)]
        for field, value in (
            (Field.TEMPLATE, query.template),
            (Field.WORKSPACE, query.workspace),
            (Field.DAEMON, query.daemon),
            (Field.INITIATOR, query.initiator),
        ):
            if value:
                yield self._terms.of(field, value)
        for word in query.text.lower().split():
            yield [*self._terms.containing(word), list(self._named_like(word, namespaces))]

    def _named_like(self, word: str, namespaces: Namespaces) -> Iterator[int]:
        """Yield the jobs whose name or uid contains the word."""
        for namespace in namespaces:
            yield from (slot for name, slot in self._names.get(namespace, {}).items() if word in name)
        if _PART_OF_UID.fullmatch(word):
            yield from (slot for uid, slot in self._slots.items() if word in uid)

    def _selected(self, phases: Collection[Phase], namespaces: Namespaces) -> Iterator[SortedList[JobRow]]:
        for namespace in namespaces:
            lists = self._lists.get(namespace, {})
            yield from (rows for phase, rows in lists.items() if rows and (not phases or phase in phases))

    def _list(self, row: JobRow) -> SortedList[JobRow]:
        lists = self._lists.setdefault(row.job.namespace, {})
        return lists.setdefault(row.job.phase, SortedList(key=_created, tie=_uid))

    def _row(self, slot: int) -> JobRow:
        row = self._rows[slot]
        if row is None:
            raise LookupError(f"no job has the slot {slot}")
        return row

    def _is_since(self, uid: str, since: float) -> bool:
        row = self.get(uid)
        return row is not None and row.job.created >= since


def _order(row: JobRow) -> tuple[float, str]:
    return row.job.created, row.job.uid


def _place(cursor: Cursor) -> tuple[float, str]:
    return cursor.created, cursor.uid


def _first(rows: SortedList[JobRow], since: float | None) -> int:
    return 0 if since is None else rows.count_below(since)


def _newest_first(rows: SortedList[JobRow], query: JobQuery) -> Iterable[JobRow]:
    first = _first(rows, query.since)
    end = len(rows) if query.before is None else rows.count_before(query.before.created, query.before.uid)
    return (rows[at] for at in range(end - 1, first - 1, -1))
