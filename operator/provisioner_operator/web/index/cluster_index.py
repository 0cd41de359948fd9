"""The index of all kinds, which routes read: kept up to date by one watch for each kind, and asked without any request.

It holds every namespace. Whoever asks passes the namespaces that the user may see; nothing of the others may show in an
answer, not even in a count.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from provisioner_operator.api.v1alpha1.names import DAEMONS, GROUP, JOBS, POOLS, QUEUES, TEMPLATES, WORKSPACES
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.queue_parsing import parse_queue
from provisioner_operator.web.index.changes import Change, Changes
from provisioner_operator.web.index.job_index import JobIndex
from provisioner_operator.web.index.object_index import ObjectIndex
from provisioner_operator.web.index.queue_index import QueueIndex
from provisioner_operator.web.index.row_parsing import parse_job_row, parse_object_row
from provisioner_operator.web.index.rows import JobRow, ObjectRow

NAMESPACES = "namespaces"
_PAST_RUNS = 500
"""Ended jobs whose runs count for the places of a policy that is new or changed; the controller counts all."""

KINDS = (JOBS, DAEMONS, POOLS, QUEUES, WORKSPACES, TEMPLATES, NAMESPACES)
"""Plurals of the kinds in the index."""

_logger = logging.getLogger(__name__)


class ClusterIndex:
    """Jobs, daemons, pools, workspaces, templates and namespaces of one cluster."""

    def __init__(self, clock: Callable[[], Instant], namespaces: Collection[str] = ()) -> None:
        """`namespaces` are those that the server is limited to; if there are none, it serves all."""
        self._clock = clock
        self._only = tuple(namespaces)
        self._changes = Changes()
        self._contact: Callable[[], float] = lambda: 0.0
        self.skipped: dict[str, int] = dict.fromkeys(KINDS, 0)
        """Number of times that an object could not be read, by plural."""
        self._clear()

    # --- state ---

    @property
    def is_ready(self) -> bool:
        """Whether every kind has been listed once."""
        return not self._unlisted

    @property
    def unlisted(self) -> Collection[str]:
        """Plurals of the kinds that have not been listed yet."""
        return frozenset(self._unlisted)

    @property
    def stale_seconds(self) -> float:
        """Time since the API server was last in contact; 0 while all watches are open."""
        return self._contact()

    def measure_contact(self, contact: Callable[[], float]) -> None:
        """Take the time since the last contact from this function."""
        self._contact = contact

    def now(self) -> float:
        """Return the present time in seconds since the epoch."""
        return self._clock().wall

    # --- namespaces ---

    @property
    def namespaces(self) -> Collection[str]:
        """Names of all namespaces that the server serves."""
        return self._only or [row.name for row in self._namespaces]

    def namespace_uid(self, name: str) -> str | None:
        """Return the UID of a namespace; one made from its name if the server may not read namespaces."""
        if self._only and name not in self._only:
            return None
        row = self._namespaces.named("", name)
        if row is not None:
            return row.uid
        return str(uuid5(NAMESPACE_URL, f"{GROUP}/namespaces/{name}")) if name in self._only else None

    def namespace_of_uid(self, uid: str) -> str | None:
        """Return the name of the namespace that has this UID."""
        return next((name for name in self.namespaces if self.namespace_uid(name) == uid), None)

    # --- changes ---

    @property
    def version(self) -> int:
        """Number of visible changes so far; a heartbeat alone is none."""
        return self._changes.version

    def version_of(self, namespace: str) -> int:
        """Return the number of visible changes in one namespace so far."""
        return self._changes.version_of(namespace)

    async def changed(self, since: int) -> int:
        """Return the version once it is above `since`."""
        return await self._changes.after(since)

    def changes_since(self, version: int) -> Sequence[Change] | None:
        """Return what changed after that version, each object once; None if that is too long ago."""
        return self._changes.since(version)

    # --- what the watches report ---

    def apply(self, plural: str, event: str, body: Mapping[str, Any]) -> None:
        """Take an event of a watch: ADDED, MODIFIED or DELETED."""
        if event == "DELETED":
            self.remove(plural, object_meta(body).uid)
        else:
            self.put(plural, body)

    def put(self, plural: str, body: Mapping[str, Any]) -> None:
        """Take an object as it is; one that cannot be read is left as it was, and counted."""
        try:
            meta = object_meta(body)
            # Compared before the rest is parsed: a list that is repeated brings little that is new.
            if meta.version <= self._index_of(plural).version(meta.uid):
                return
            row = parse_job_row(body) if plural == JOBS else parse_object_row(body)
            if isinstance(row, JobRow):
                self._put_job(row)
            else:
                self._put_object(plural, row, body)
        except (UnparseableObjectError, KeyError, TypeError, ValueError) as error:
            self.skipped[plural] += 1
            _logger.warning("Skipping %s of %s: %s", object_meta(body).display_name, plural, error)

    def remove(self, plural: str, uid: str) -> None:
        """Forget an object."""
        if plural == JOBS:
            removed = self.jobs.remove(uid)
            self.queue.live.forget_job(uid)
            if removed is not None:
                self._changes.note(Change(JOBS, removed.job.namespace, uid))
            return
        row = self._objects[plural].remove(uid)
        if plural == DAEMONS:
            self.queue.live.forget_daemon(uid)
        elif plural == POOLS:
            self.queue.live.forget_pool(uid)
        elif plural == QUEUES:
            self.queue.live.forget_queue(uid)
        if row is not None:
            self._changes.note(_change(plural, row))

    def versions(self, plural: str, namespace: str | None = None) -> Mapping[str, int]:
        """Return the known objects' resource versions by uid, of one namespace or of all."""
        return self._index_of(plural).versions(namespace)

    def complete(self, *plurals: str) -> None:
        """Note that these kinds, or all, have been listed."""
        was_ready = self.is_ready
        self._unlisted.difference_update(plurals or KINDS)
        if self.is_ready and not was_ready:
            self.jobs.prepare()
            self._changes.start_over()

    def start_over(self) -> None:
        """Forget everything, at once: no kind counts as listed any more."""
        self._clear()
        self._changes.start_over()

    # --- inside ---

    def _clear(self) -> None:
        self._unlisted = set(KINDS)
        self.queue = QueueIndex(self._last_contact, self._went_offline, lambda: self.version)
        self.jobs = JobIndex(self.queue)
        self.daemons = ObjectIndex()
        self.pools = ObjectIndex()
        self.queues = ObjectIndex()
        self.workspaces = ObjectIndex()
        self.templates = ObjectIndex()
        self._namespaces = ObjectIndex()
        self._objects: Mapping[str, ObjectIndex] = {
            DAEMONS: self.daemons,
            POOLS: self.pools,
            QUEUES: self.queues,
            WORKSPACES: self.workspaces,
            TEMPLATES: self.templates,
            NAMESPACES: self._namespaces,
        }

    def _index_of(self, plural: str) -> JobIndex | ObjectIndex:
        return self.jobs if plural == JOBS else self._objects[plural]

    def _put_job(self, row: JobRow) -> None:
        job = row.job
        former = self.jobs.get(job.uid)
        self.jobs.put(row)
        self.queue.live.observe_job(job)
        if row.is_ended and (former is None or not former.is_ended):
            self.queue.history.observe_end(job)
        # As stored: of an ended job, not everything is.
        if former is None or _visible(former) != _visible(self.jobs.get(job.uid)):
            self._changes.note(Change(JOBS, job.namespace, job.uid))

    def _put_object(self, plural: str, row: ObjectRow, body: Mapping[str, Any]) -> None:
        former = self._objects[plural].get(row.uid)
        is_visible = former is None or former.fingerprint != row.fingerprint
        if plural == DAEMONS:
            # A heartbeat is visible where it brings back a daemon that has been silent.
            is_visible |= self.queue.live.observe_daemon(parse_daemon(body))
        elif plural == POOLS:
            self.queue.live.observe_pool(parse_pool(body))
        elif plural == QUEUES:
            queue = parse_queue(body)
            self.queue.live.observe_queue(queue)
            for ended in self.jobs.ended(queue.namespace, _PAST_RUNS):
                self.queue.live.observe_job(ended.job)
        self._objects[plural].put(row)
        if is_visible:
            self._changes.note(_change(plural, row))

    def _last_contact(self) -> float:
        # Heartbeats that did not arrive since may well have been sent: no daemon goes offline meanwhile.
        return self.now() - self._contact()

    def _went_offline(self, daemon: Daemon) -> None:
        self._changes.note(Change(DAEMONS, daemon.namespace, daemon.uid))


def _change(plural: str, row: ObjectRow) -> Change:
    return Change(plural, row.name if plural == NAMESPACES else row.namespace, row.uid)


def _visible(row: JobRow | None) -> JobRow | None:
    if row is None:
        return None
    return replace(row, job=replace(row.job, resource_version=0, generation=0, observed_generation=None))
