"""All jobs: sorted by their creation, searchable, counted.

The jobs of each namespace and phase are a list of their own in order of creation (`job_lists`), so that new jobs are
appended and a page is found at any depth. What a query asks beyond that is answered by `job_search`.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from heapq import nlargest
from itertools import islice
from typing import Protocol

from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.web.index.job_lists import JobLists
from provisioner_operator.web.index.job_search import JobSearch
from provisioner_operator.web.index.query import Counts, Cursor, JobQuery, Namespaces, Page
from provisioner_operator.web.index.row_store import RowStore
from provisioner_operator.web.index.rows import JobRow

_MOST_THAT_OVERTAKE = 16
"""Jobs of one daemon that may be created later, and end earlier, than its last one."""


class StuckJobs(Protocol):
    """Knows the jobs that make no progress until somebody intervenes."""

    def stuck_jobs(self, namespaces: Namespaces) -> Iterable[str]:
        """Return the uids of the stuck jobs of these namespaces."""

    def count_stuck(self, namespaces: Namespaces) -> int:
        """Count the stuck jobs of these namespaces."""

    def stuck_version(self) -> int:
        """Return a number that grows before other jobs are stuck."""


class JobIndex:
    """The rows of all jobs."""

    def __init__(self, stuck: StuckJobs) -> None:
        self._stuck = stuck
        self._rows = RowStore()
        self._search = JobSearch(self._rows)
        self._lists = JobLists(self._rows)
        self._unfinished: dict[str, int] = {}
        """Slots of the unfinished jobs by uid: stuck jobs are counted often, and may be many."""
        self._initiators: dict[str, Counter[str]] = {}
        self._known_stuck: tuple[int, frozenset[str], frozenset[int]] | None = None
        """Slots of the stuck jobs of some namespaces at a version: among 100,000, to find them takes most of the time."""

    def __len__(self) -> int:
        return len(self._rows)

    # --- changes ---

    def put(self, row: JobRow) -> None:
        """Add a job, or replace its former version."""
        job = row.job
        slot = self._rows.find(job.uid)
        if slot is None:
            slot = self._rows.add(row)
            self._search.add(slot, row)
            self._lists.add(slot, row)
        else:
            former = self._rows.row(slot)
            self._count_initiator(former, -1)
            if former.job.phase is not job.phase:
                self._lists.remove(slot, former)
                self._lists.add(slot, row)
            self._rows.replace(slot, row)
            self._search.replace(slot, former, row)
        self._count_initiator(row, 1)
        if row.is_ended:
            self._unfinished.pop(job.uid, None)
        else:
            self._unfinished[job.uid] = slot

    def prepare(self) -> None:
        """Do now what the first page and the first search would have to."""
        self._lists.prepare()
        self._search.prepare()

    def remove(self, uid: str) -> JobRow | None:
        """Remove a job, and return its row."""
        slot = self._rows.find(uid)
        if slot is None:
            return None
        row = self._rows.row(slot)
        self._lists.remove(slot, row)
        self._search.remove(slot, row)
        self._rows.remove(slot, row)
        self._unfinished.pop(uid, None)
        self._count_initiator(row, -1)
        return row

    # --- questions ---

    def get(self, uid: str) -> JobRow | None:
        """Return the job of this uid."""
        slot = self._rows.find(uid)
        return None if slot is None else self._rows.row(slot)

    def named(self, namespace: str, name: str) -> JobRow | None:
        """Return the job of this name."""
        slot = self._rows.find_named(namespace, name)
        return None if slot is None else self._rows.row(slot)

    def page(self, query: JobQuery, namespaces: Namespaces, limit: int | None) -> Page:
        """Return the next jobs of the query, newest first; all of them if `limit` is None."""
        return self._page(query, namespaces, limit, self._search.found(query))

    def counts(self, namespaces: Namespaces, query: JobQuery | None = None) -> Counts:
        """Count the jobs that the query selects, whatever it says about phases, stuck jobs and its place."""
        query = query or JobQuery()
        return self._counts(query, namespaces, self._search.found(query))

    def page_and_counts(self, query: JobQuery, namespaces: Namespaces, limit: int | None) -> tuple[Page, Counts]:
        """Return both by one search, which may take most of the time."""
        found = self._search.found(query)
        return self._page(query, namespaces, limit, found), self._counts(query, namespaces, found)

    def initiators(self, namespaces: Namespaces) -> set[str]:
        """Return the users who requested jobs of these namespaces."""
        return {name for namespace in namespaces for name in self._initiators.get(namespace, ())}

    def of_workspace(self, namespace: str, workspace: str) -> list[JobRow]:
        """Return the jobs of the workspace, newest first."""
        found = self._lists.select(self._search.of_workspace(workspace), (), (namespace,), None)
        return list(map(self._rows.row, sorted(found, key=self._rows.order, reverse=True)))

    def ended(self, namespace: str, limit: int) -> list[JobRow]:
        """Return the newest of the namespace's jobs that have ended."""
        return [self._rows.row(slot) for slot in islice(self._lists.newest(TERMINAL, (namespace,)), limit)]

    def last_ended_on(self, daemon: str, namespace: str) -> JobRow | None:
        """Return the daemon's job that ended last, looked for among its newest ones."""
        newest = self.page(JobQuery(daemon=daemon, phases=TERMINAL), {namespace}, _MOST_THAT_OVERTAKE).rows
        return max(newest, key=lambda row: row.job.finished or 0, default=None)

    def version(self, uid: str) -> int:
        """Return the job's resource version; 0 if it is unknown."""
        slot = self._rows.find(uid)
        return 0 if slot is None else self._rows.versions[slot]

    def versions(self, namespace: str | None = None) -> dict[str, int]:
        """Return the jobs' resource versions by uid, of one namespace or of all."""
        uid, versions = self._rows.uid, self._rows.versions
        slots = self._rows.slots() if namespace is None else self._lists.of_namespace(namespace)
        return {uid(slot): versions[slot] for slot in slots}

    # --- inside ---

    def _count_initiator(self, row: JobRow, change: int) -> None:
        name = row.job.initiator
        if name is not None:
            counted = self._initiators.setdefault(row.job.namespace, Counter())
            counted[name] += change
            if not counted[name]:
                del counted[name]
            if not counted:
                del self._initiators[row.job.namespace]

    def _page(self, query: JobQuery, namespaces: Namespaces, limit: int | None, found: Collection[int] | None) -> Page:
        if query.stuck:
            stuck = self._stuck_slots(namespaces)
            found = stuck if found is None else stuck.intersection(found)
        if found is None:
            total = sum(self._lists.counts(query.phases, namespaces, query.since).values())
            slots: Iterable[int] = self._lists.newest(query.phases, namespaces, query.since, query.before)
        else:
            selected = self._lists.select(found, query.phases, namespaces, query.since)
            total = len(selected)
            slots = self._newest_of(selected, query.before, limit)
        shown = list(slots if limit is None else islice(slots, limit + 1))
        rows = [self._rows.row(slot) for slot in shown[:limit]]
        last = rows[-1].job if rows and len(shown) > len(rows) else None
        return Page(rows, None if last is None else Cursor(last.created, last.uid), total)

    def _counts(self, query: JobQuery, namespaces: Namespaces, found: Collection[int] | None) -> Counts:
        if found is not None:
            selected = self._lists.select(found, (), namespaces, query.since)
            return Counts(self._lists.phases_of(selected), len(self._stuck_slots(namespaces).intersection(selected)))
        phases = self._lists.counts((), namespaces, query.since)
        if query.since is None:
            return Counts(phases, self._stuck.count_stuck(namespaces))
        created = self._rows.created
        return Counts(phases, sum(created[slot] >= query.since for slot in self._stuck_slots(namespaces)))

    def _newest_of(self, found: list[int], before: Cursor | None, limit: int | None) -> list[int]:
        created = self._rows.created
        if before is not None:
            found = [slot for slot in found if created[slot] <= before.created]
        if limit is not None and len(found) > limit:
            # Among all of one second, uids decide: they are compared only where they matter. One more may be the cursor.
            oldest = nlargest(limit + 2, map(created.__getitem__, found))[-1]
            found = [slot for slot in found if created[slot] >= oldest]
        order = self._rows.order
        if before is not None:
            found = [slot for slot in found if order(slot) < (before.created, before.uid)]
        return sorted(found, key=order, reverse=True)

    def _stuck_slots(self, namespaces: Namespaces) -> frozenset[int]:
        version, allowed = self._stuck.stuck_version(), frozenset(namespaces)
        if self._known_stuck is None or self._known_stuck[:2] != (version, allowed):
            found = frozenset(map(self._unfinished.__getitem__, self._stuck.stuck_jobs(allowed)))
            self._known_stuck = version, allowed, found
        return self._known_stuck[2]
