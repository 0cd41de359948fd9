"""Add to the cache of workspaces the jobs that plan their builds for approval."""

from provisioner_operator.core.reconcilers.workspace_cache import WorkspaceCache
from provisioner_operator.core.reconcilers.workspace_entries import WorkspaceEntry
from provisioner_operator.core.workspaces.records import PlanJob


class PlanCache(WorkspaceCache):
    """Workspaces, their builds, and the latest plan of each that requires approval."""

    def observe_plan(self, plan: PlanJob) -> bool:
        """Observe a job that plans a workspace's build for approval; return False if there is nothing to reconcile."""
        if self._gone.covers(plan.job_uid, plan.resource_version):
            return False
        entry = self._workspaces.get(plan.workspace_uid)
        if entry is None:
            if plan.record.ended:
                return False  # its workspace is gone
            entry = self._workspaces.setdefault(plan.workspace_uid, WorkspaceEntry())
        known = entry.plan
        if known is not None and (
            known.record.number > plan.record.number
            or (known.job_uid == plan.job_uid and known.resource_version >= plan.resource_version)
        ):
            return False
        entry.floor = max(entry.floor, plan.record.number)
        entry.plan = plan
        self._jobs[plan.job_uid] = (plan.workspace_uid, plan.record.number)
        self._work.add(plan.workspace_uid)
        self._versions_changed(plan.workspace_uid, entry)
        return True
