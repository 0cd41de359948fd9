"""Combine the reconcilers, which share their caches, into one value."""

from dataclasses import dataclass

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.core.reconcilers.supplies import SupplyReconciler
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler


@dataclass(frozen=True, slots=True)
class Reconcilers:
    """The reconcilers of one controller."""

    jobs: JobReconciler
    pools: PoolReconciler
    workspaces: WorkspaceReconciler
    supplies: SupplyReconciler

    @classmethod
    def create(cls, default_image: str, *, publish_supplies: bool = False) -> "Reconcilers":
        """Return new reconcilers with empty caches; `publish_supplies` keeps a ProvisionerSupply in each namespace."""
        workspaces = WorkspaceReconciler()
        # A workspace's job is not deleted before the workspace's status records its end.
        jobs = JobReconciler(workspaces.holds, workspaces.ownership_of, workspaces.observe_unsaved_state)
        supplies = SupplyReconciler(jobs, workspaces, is_on=publish_supplies)
        return cls(jobs, PoolReconciler(jobs, default_image), workspaces, supplies)

    def leadership_gained(self, now: Instant, restored: float | None) -> None:
        """Prepare to decide after a time in which another controller may have led, and etcd have been `restored`."""
        self.jobs.leadership_gained(now, restored)
        self.pools.leadership_gained()
        self.workspaces.leadership_gained()

    def next_wake(self) -> float | None:
        """Return the monotonic time at which one of them has to decide even if nothing is observed; None if never."""
        parts = (self.jobs, self.pools, self.workspaces, self.supplies)
        wakes = (each.next_wake() for each in parts)
        return min((wake for wake in wakes if wake is not None), default=None)
