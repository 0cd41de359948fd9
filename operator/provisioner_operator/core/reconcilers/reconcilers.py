"""Combine the three reconcilers, which share their caches, into one value."""

from dataclasses import dataclass

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler


@dataclass(frozen=True, slots=True)
class Reconcilers:
    """The reconcilers of one controller."""

    jobs: JobReconciler
    pools: PoolReconciler
    workspaces: WorkspaceReconciler

    @classmethod
    def create(cls, default_image: str) -> "Reconcilers":
        """Return new reconcilers with empty caches."""
        workspaces = WorkspaceReconciler()
        # A workspace's job is not deleted before the workspace's status records its end.
        jobs = JobReconciler(workspaces.holds, workspaces.ownership_of, workspaces.observe_unsaved_state)
        return cls(jobs, PoolReconciler(jobs, default_image), workspaces)

    def leadership_gained(self, now: Instant) -> None:
        """Prepare to decide after a time in which another controller may have led."""
        self.jobs.leadership_gained(now)
        self.pools.leadership_gained()
        self.workspaces.leadership_gained()

    def next_wake(self) -> float | None:
        """Return the monotonic time at which one of them has to decide even if nothing is observed; None if never."""
        wakes = (self.jobs.next_wake(), self.pools.next_wake(), self.workspaces.next_wake())
        return min((wake for wake in wakes if wake is not None), default=None)
