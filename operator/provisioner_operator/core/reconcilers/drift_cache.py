"""Add to the cache of workspaces the jobs that check them for drift, until their statuses record the results."""

from typing_extensions import override

from provisioner_operator.core.reconcilers.workspace_cache import WorkspaceCache
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import Workspace


class DriftCache(WorkspaceCache):
    """Workspaces, their builds, and their checks for drift."""

    def __init__(self) -> None:
        super().__init__()
        self._checks: dict[str, dict[str, DriftCheck]] = {}
        """Checks by the uids of their workspaces and of their jobs."""
        self._checked: dict[str, str] = {}
        """Uids of workspaces, by those of the jobs that check them."""

    def observe_drift_check(self, check: DriftCheck) -> bool:
        """Observe a job that checks a workspace for drift; return False if there is nothing to reconcile."""
        if self._gone.covers(check.job_uid, check.resource_version):
            return False
        known = self._checks.get(check.workspace_uid, {}).get(check.job_uid)
        if known is not None and known.resource_version >= check.resource_version:
            return False
        entry = self._workspaces.get(check.workspace_uid)
        workspace = None if entry is None else entry.workspace
        self._checks.setdefault(check.workspace_uid, {})[check.job_uid] = check
        self._checked[check.job_uid] = check.workspace_uid
        if check.ended and (workspace is None or _is_settled(check, workspace)):
            self._drop(check)
            if known is None:
                return False
        self._work.add(check.workspace_uid)
        return True

    def checks_of(self, workspace_uid: str) -> tuple[DriftCheck, ...]:
        """Return the workspace's checks that have not ended, and ended ones that its status does not record yet."""
        return tuple(self._checks.get(workspace_uid, {}).values())

    def knows_check(self, job_uid: str) -> bool:
        """Return whether this job is one of those checks."""
        return job_uid in self._checked

    @override
    def observe_workspace(self, workspace: Workspace) -> bool:
        if not super().observe_workspace(workspace):
            return False
        for check in self.checks_of(workspace.uid):
            if check.ended and _is_settled(check, workspace):
                self._drop(check)
        return True

    @override
    def workspace_deleted(self, uid: str) -> None:
        for check in self.checks_of(uid):
            self._drop(check)
        super().workspace_deleted(uid)

    @override
    def job_deleted(self, job_uid: str) -> None:
        super().job_deleted(job_uid)
        workspace_uid = self._checked.get(job_uid)
        if workspace_uid is None:
            return
        check = self._checks[workspace_uid][job_uid]
        # The result of one that has ended still counts: its time to live may be shorter than the way to the status.
        if not check.ended:
            self._drop(check)
            self._work.add(workspace_uid)
        self._gone.add(job_uid)

    @override
    def unfinished_jobs(self) -> dict[str, tuple[str, str]]:
        checks = (check for checks in self._checks.values() for check in checks.values() if not check.ended)
        return super().unfinished_jobs() | {check.job_uid: (check.namespace, check.job) for check in checks}

    def _drop(self, check: DriftCheck) -> None:
        del self._checked[check.job_uid]
        checks = self._checks[check.workspace_uid]
        del checks[check.job_uid]
        if not checks:
            del self._checks[check.workspace_uid]
        self._gone.add(check.job_uid, check.resource_version)


def _is_settled(check: DriftCheck, workspace: Workspace) -> bool:
    """Return whether the check does not count, or the workspace's status has its result or that of a later one."""
    status = workspace.status
    if workspace.drift_check is None or (status.last_run is not None and check.build < status.last_run.number):
        return True
    return status.drift is not None and check.finished <= status.drift.checked
