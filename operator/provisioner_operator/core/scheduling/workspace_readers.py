"""Index the jobs that read a workspace and change nothing, by the workspace: they neither wait for it nor hold it up.

Part of `placement`. A Workspace that is created meanwhile may belong to another user, and then forbids them to start.
"""

from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName, workspace_named_by, workspace_of


class WorkspaceReaders:
    """Unfinished jobs that read a workspace, by their uids."""

    def __init__(self) -> None:
        self._uids: dict[NamespacedName, set[str]] = {}

    def add(self, job: Job) -> None:
        """Add the job if it only reads its workspace."""
        place = workspace_named_by(job)
        if place is not None and workspace_of(job) is None:
            self._uids.setdefault(place, set()).add(job.uid)

    def discard(self, job: Job) -> None:
        """Remove a job that has ended or is gone."""
        place = workspace_named_by(job)
        if place is None or (uids := self._uids.get(place)) is None:
            return
        uids.discard(job.uid)
        if not uids:
            del self._uids[place]

    def of(self, workspace: NamespacedName) -> list[str]:
        """Return the uids of the jobs that read the workspace, in a fixed order."""
        return sorted(self._uids.get(workspace, ()))
