"""One job of a workspace at a time, in order of creation.

A job stands in its workspace's line while it waits. It may be queued for a daemon when it is first in line and nothing
else of the workspace runs. Suspended jobs step out of the line, so that a held job does not hold up the others.
"""

from provisioner_operator.core.jobs.ordering import CreationKey, creation_key
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.records import Job

NamespacedName = tuple[str, str]
"""Namespace and name."""


def workspace_of(job: Job) -> NamespacedName | None:
    """The job's workspace; None for a job without one, which waits for nobody."""
    return None if job.workspace is None else (job.namespace, job.workspace)


class _Queue:
    __slots__ = ("occupants", "waiting")

    def __init__(self) -> None:
        self.waiting: KeyedHeap[str, CreationKey] = KeyedHeap()
        self.occupants: set[str] = set()


class WorkspaceQueues:
    """The line of each workspace."""

    def __init__(self) -> None:
        self._lines: dict[NamespacedName, _Queue] = {}

    def wait(self, job: Job) -> None:
        """A job waits its turn."""
        if (workspace := workspace_of(job)) is not None:
            line = self._lines.setdefault(workspace, _Queue())
            line.occupants.discard(job.uid)
            line.waiting.put(job.uid, creation_key(job))

    def leave(self, job: Job) -> None:
        """A job neither waits nor runs any more."""
        if (workspace := workspace_of(job)) is not None and (line := self._lines.get(workspace)) is not None:
            line.waiting.discard(job.uid)
            line.occupants.discard(job.uid)
            self._tidy(workspace, line)

    def occupy(self, workspace: NamespacedName, occupant: str) -> None:
        """A run (a job's uid, or the name of what lingers) has the workspace."""
        line = self._lines.setdefault(workspace, _Queue())
        line.waiting.discard(occupant)
        line.occupants.add(occupant)

    def vacate(self, workspace: NamespacedName, occupant: str) -> None:
        """That run has it no longer."""
        if (line := self._lines.get(workspace)) is not None:
            line.occupants.discard(occupant)
            self._tidy(workspace, line)

    def next_in(self, workspace: NamespacedName) -> str | None:
        """The uid of the job whose turn it is; None while the workspace is occupied or nobody waits."""
        line = self._lines.get(workspace)
        if line is None or line.occupants:
            return None
        first = line.waiting.peek()
        return None if first is None else first[1]

    def is_turn_of(self, job: Job) -> bool:
        """Whether this waiting job may be queued for a daemon."""
        workspace = workspace_of(job)
        return workspace is None or self.next_in(workspace) == job.uid

    def blocker_of(self, job: Job) -> str | None:
        """The uid of a job that goes first; None when it is this job's turn, or what blocks it is not a job."""
        workspace = workspace_of(job)
        line = self._lines.get(workspace) if workspace is not None else None
        if line is None:
            return None
        if line.occupants:
            return min(line.occupants)
        first = line.waiting.peek()
        return None if first is None or first[1] == job.uid else first[1]

    def _tidy(self, workspace: NamespacedName, line: _Queue) -> None:
        if not line.occupants and not len(line.waiting):
            self._lines.pop(workspace, None)
