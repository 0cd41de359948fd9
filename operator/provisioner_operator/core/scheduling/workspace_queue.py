"""Queue the jobs that change each workspace: one runs at a time, in order of creation.

A job may wait for a daemon when it is first in its workspace's queue and nothing else of the workspace runs. Suspended
jobs leave the queue, so that they do not hold up the others. While it is not known what a daemon runs, it holds all
workspaces of its namespace.
"""

from bisect import bisect_left
from collections.abc import Iterator

from provisioner_operator.core.jobs.ordering import CreationKey, creation_key
from provisioner_operator.core.model.records import Job

EVERYWHERE = None
"""In place of a namespace: all of them, also those of which nothing is known yet."""
NamespacedName = tuple[str, str]
"""Namespace and name, as types.NamespacedName in Kubernetes."""


def workspace_of(job: Job) -> NamespacedName | None:
    """Return the workspace that the job may change; None for a job that changes none, which never queues for one."""
    name = job.changed_workspace
    return None if name is None else (job.namespace, name)


def workspace_named_by(job: Job) -> NamespacedName | None:
    """Return the workspace that the job changes or reads; None for a job without one."""
    return None if job.workspace is None else (job.namespace, job.workspace)


class _Queue:
    """Queue of one workspace: slim, since there may be very many."""

    __slots__ = ("occupants", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Job] = []
        """Waiting jobs in their order."""
        self.occupants: frozenset[str] = frozenset()

    def put(self, job: Job) -> None:
        at, is_known = self._find(job)
        if is_known:
            self.waiting[at] = job
        else:
            self.waiting.insert(at, job)

    def discard(self, job: Job) -> None:
        at, is_known = self._find(job)
        if is_known:
            del self.waiting[at]

    def occupy(self, occupant: str) -> None:
        self.occupants |= {occupant}
        # The job that starts is nearly always the first.
        at = next((at for at, job in enumerate(self.waiting) if job.uid == occupant), None)
        if at is not None:
            del self.waiting[at]

    def _find(self, job: Job) -> tuple[int, bool]:
        if not self.waiting:  # as nearly always: a workspace seldom has two jobs
            return 0, False
        at = bisect_left(self.waiting, _order(job), key=_order)
        return at, at < len(self.waiting) and self.waiting[at].uid == job.uid


class WorkspaceQueues:
    """Queue of each workspace."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, _Queue]] = {}
        """Queues by namespace and workspace; none of them is empty."""
        self._holders: dict[str | None, set[str]] = {}
        """Uids of the daemons that hold all workspaces, by namespace."""

    def wait(self, job: Job) -> None:
        """Add a waiting job."""
        if (workspace := workspace_of(job)) is not None:
            line = self._line_of(workspace)
            line.occupants -= {job.uid}
            line.put(job)

    def leave(self, job: Job) -> None:
        """Remove a job that neither waits nor runs any more."""
        if (workspace := workspace_of(job)) is not None and (line := self._known_line(workspace)) is not None:
            line.discard(job)
            line.occupants -= {job.uid}
            self._tidy(workspace, line)

    def occupy(self, workspace: NamespacedName, occupant: str) -> None:
        """Record that the workspace is occupied by a job (its uid) or by a run that outlives its job (a name)."""
        self._line_of(workspace).occupy(occupant)

    def vacate(self, workspace: NamespacedName, occupant: str) -> None:
        """Record that the workspace is no longer occupied by that job or run."""
        if (line := self._known_line(workspace)) is not None:
            line.occupants -= {occupant}
            self._tidy(workspace, line)

    def hold(self, namespace: str | None, daemon_uid: str) -> list[str]:
        """Hold all workspaces of the namespace; return the uids of the jobs whose turn it was."""
        # Looked for only by the first of many daemons: the queues of a namespace may be thousands.
        following = [] if namespace in self._holders else self._next_in_all(namespace)
        self._holders.setdefault(namespace, set()).add(daemon_uid)
        return following

    def release(self, namespace: str | None, daemon_uid: str) -> list[str]:
        """Hold the namespace's workspaces no longer for this daemon; return the uids of the jobs whose turn begins."""
        holders = self._holders.get(namespace, set())
        holders.discard(daemon_uid)
        if holders or self._holders.pop(namespace, None) is None:
            return []
        return self._next_in_all(namespace)

    def held(self) -> int:
        """Return the number of namespaces whose workspaces are held."""
        return len(self._held())

    def held_jobs(self) -> Iterator[Job]:
        """Iterate over the jobs whose turn it would be if no daemon held their workspaces."""
        for namespace in self._held():
            for line in self._lines.get(namespace, {}).values():
                if line.waiting and not line.occupants:
                    yield line.waiting[0]

    def is_held(self, namespace: str) -> bool:
        """Return whether a daemon holds all workspaces of the namespace."""
        return namespace in self._holders or EVERYWHERE in self._holders

    def next_in(self, workspace: NamespacedName) -> str | None:
        """Return the uid of the job whose turn it is; None while the workspace is occupied or no job waits."""
        line = self._known_line(workspace)
        if line is None or line.occupants or not line.waiting or self.is_held(workspace[0]):
            return None
        return line.waiting[0].uid

    def waiting_in(self, workspace: NamespacedName) -> list[str]:
        """Return the uids of the jobs that wait in the workspace's queue, in their order."""
        line = self._known_line(workspace)
        return [] if line is None else [job.uid for job in line.waiting]

    def occupants_of(self, workspace: NamespacedName) -> frozenset[str]:
        """Return the uids of the jobs and the names of the runs that occupy the workspace."""
        line = self._known_line(workspace)
        return frozenset() if line is None else line.occupants

    def is_turn_of(self, job: Job) -> bool:
        """Return whether this waiting job may be queued for a daemon."""
        workspace = workspace_of(job)
        return workspace is None or self.next_in(workspace) == job.uid

    def is_preceded(self, job: Job) -> bool:
        """Return whether another job or run of the workspace goes before this waiting job."""
        workspace = workspace_of(job)
        line = self._known_line(workspace) if workspace is not None else None
        if line is None:
            return False
        return bool(line.occupants) or bool(line.waiting and line.waiting[0].uid != job.uid)

    def blocker_of(self, job: Job) -> str | None:
        """Return the uid of the job or daemon, or the name of the run, that goes first; None if it is this job's turn."""
        workspace = workspace_of(job)
        line = self._known_line(workspace) if workspace is not None else None
        if line is None:
            return None
        if occupants := line.occupants or self._holders.get(job.namespace) or self._holders.get(EVERYWHERE):
            return min(occupants)
        first = line.waiting[0].uid if line.waiting else job.uid
        return None if first == job.uid else first

    def _held(self) -> list[str]:
        """Return the namespaces whose workspaces are held, as far as jobs wait there or a daemon is known to hold them."""
        waiting = self._lines if EVERYWHERE in self._holders else ()
        return list(dict.fromkeys([*waiting, *(each for each in self._holders if each is not EVERYWHERE)]))

    def _next_in_all(self, namespace: str | None) -> list[str]:
        concerned = self._lines if namespace is EVERYWHERE else (namespace,)
        found = (self.next_in((each, workspace)) for each in concerned for workspace in self._lines.get(each, ()))
        return [uid for uid in found if uid is not None]

    def _known_line(self, workspace: NamespacedName) -> _Queue | None:
        namespace, name = workspace
        return self._lines.get(namespace, {}).get(name)

    def _line_of(self, workspace: NamespacedName) -> _Queue:
        namespace, name = workspace
        return self._lines.setdefault(namespace, {}).setdefault(name, _Queue())

    def _tidy(self, workspace: NamespacedName, line: _Queue) -> None:
        if line.occupants or line.waiting:
            return
        namespace, name = workspace
        lines = self._lines[namespace]
        del lines[name]
        if not lines:
            del self._lines[namespace]


def _order(job: Job) -> tuple[CreationKey, str]:
    return creation_key(job), job.uid
