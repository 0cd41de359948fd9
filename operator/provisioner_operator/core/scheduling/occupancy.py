"""Track the use of daemons' slots: assigned jobs, and runs whose processes may outlive their jobs.

A job that the controller ends at a deadline, or that is deleted, frees neither its slot nor its workspace until its
daemon's heartbeat no longer lists the run: only then has it really ended. A job that its daemon ended is over at once,
even while the last heartbeat still lists it.

A heartbeat occupies no workspace by itself, or a daemon could block any: the workspace is that of a job which was assigned
to the daemon, or which was deleted before its assignment was observed. Of jobs that this process never observed, only the
heartbeat is left; it counts for a limited time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason
from provisioner_operator.core.model.records import Job, ReportedRun
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName, workspace_of

UNLISTED_REPORTS = 2
"""Heartbeats without a run, never listed before, after which it is over: the first may be older than the run."""


MOST_DELETED_JOBS = 8192
"""Maximum number of jobs that were deleted while they seemed to wait; the longest known are forgotten first."""

_ENDED_BY_CONTROLLER = frozenset({EndReason.DEADLINE_EXCEEDED, EndReason.PENDING_TIMEOUT})


@dataclass(frozen=True, slots=True)
class _Lingering:
    workspace: NamespacedName | None
    reports: int
    """Number of heartbeats without the run after which it is over."""
    claimed: bool = False
    """Whether only a heartbeat names the workspace: the job is not known."""


def tell_nobody(_: str) -> None:
    """Tell nobody."""


class Occupancy:
    """Runs by daemon uid."""

    def __init__(self, tell_changed: Callable[[str], None] = tell_nobody) -> None:
        """`tell_changed` is called with the uid of each daemon whose slots may be taken by others than before."""
        self._tell_changed = tell_changed
        self._given: dict[str, dict[str, None]] = {}
        """Jobs in the order of their assignments, in which they are reconciled."""
        self._lingering: dict[str, dict[str, _Lingering]] = {}
        self._reported: dict[str, frozenset[ReportedRun]] = {}
        self._over: dict[str, set[str]] = {}
        self._deleted: dict[str, NamespacedName] = {}
        """Workspaces of jobs that were deleted while they seemed to wait: an assignment may not have been observed."""

    def give(self, daemon_uid: str, job_uid: str) -> None:
        """Record that a job is assigned to the daemon."""
        self._lingering.get(daemon_uid, {}).pop(job_uid, None)
        given = self._given.setdefault(daemon_uid, {})
        if job_uid not in given:
            given[job_uid] = None
            self._tell_changed(daemon_uid)

    def take(self, daemon_uid: str, job_uid: str) -> None:
        """Record that a job that never started is no longer assigned to the daemon."""
        self._given.get(daemon_uid, {}).pop(job_uid, None)
        self._tell_changed(daemon_uid)

    def end(self, daemon_uid: str, job: Job, *, may_still_run: bool) -> None:
        """Record the end of a started job; `may_still_run` unless its daemon reported the end itself."""
        self._given.get(daemon_uid, {}).pop(job.uid, None)
        is_listed = any(run.job_uid == job.uid for run in self._reported.get(daemon_uid, ()))
        if may_still_run:
            run = _Lingering(workspace_of(job), 1 if is_listed else UNLISTED_REPORTS)
            self._lingering.setdefault(daemon_uid, {})[job.uid] = run
        elif is_listed:
            self._over.setdefault(daemon_uid, set()).add(job.uid)
        self._tell_changed(daemon_uid)

    def listing(self, job_uid: str) -> list[str]:
        """Return the uids of the daemons whose heartbeats list a job that is not assigned to them."""
        return [daemon_uid for daemon_uid, runs in self._lingering.items() if job_uid in runs]

    def delete_waiting(self, job_uid: str, workspace: NamespacedName) -> None:
        """Record that a job was deleted which no daemon seemed to have."""
        self._deleted[job_uid] = workspace
        if len(self._deleted) > MOST_DELETED_JOBS:
            del self._deleted[next(iter(self._deleted))]
        for daemon_uid in self.listing(job_uid):
            self._lingering[daemon_uid][job_uid] = _Lingering(workspace, 1)

    def report(self, daemon_uid: str, namespace: str, runs: frozenset[ReportedRun], *, trusted: bool) -> None:
        """Record the runs that a heartbeat lists; if `trusted`, those of unknown jobs occupy the workspaces that it names."""
        self._reported[daemon_uid] = runs
        over = self._over.get(daemon_uid, set()) & {run.job_uid for run in runs}
        given = self._given.get(daemon_uid, {})
        self._over[daemon_uid] = over
        known = self._lingering.get(daemon_uid, {})
        unlisted = {uid: replace(run, reports=run.reports - 1) for uid, run in known.items() if run.reports > 1}
        self._lingering[daemon_uid] = unlisted | {
            run.job_uid: replace(known[run.job_uid], reports=1)
            if run.job_uid in known
            else self._unknown(run, namespace, trusted=trusted)
            for run in runs
            if run.job_uid not in given and run.job_uid not in over
        }
        self._tell_changed(daemon_uid)

    def _unknown(self, run: ReportedRun, namespace: str, *, trusted: bool) -> _Lingering:
        if (workspace := self._deleted.get(run.job_uid)) is not None:
            return _Lingering(workspace, 1)
        return _Lingering((namespace, run.workspace) if run.workspace and trusted else None, 1, claimed=True)

    def trust_claims(self, daemon_uid: str, namespace: str) -> None:
        """Believe which workspaces the runs of unknown jobs occupy, as the last heartbeat names them."""
        lingering = self._lingering.get(daemon_uid, {})
        for run in self._reported.get(daemon_uid, ()):
            if run.job_uid in lingering and lingering[run.job_uid].claimed:
                lingering[run.job_uid] = self._unknown(run, namespace, trusted=True)

    def doubt_claims(self, daemon_uid: str) -> None:
        """Free the workspaces that only heartbeats name: the daemon has had time to stop runs of deleted jobs."""
        lingering = self._lingering.get(daemon_uid, {})
        for uid, run in lingering.items():
            if run.claimed:
                lingering[uid] = replace(run, workspace=None)

    def vanish(self, daemon_uid: str) -> None:
        """Drop all runs of a daemon whose process is certainly over."""
        for table in (self._lingering, self._reported, self._over):
            table.pop(daemon_uid, None)
        self._tell_changed(daemon_uid)

    def forget(self, daemon_uid: str) -> None:
        """Drop a daemon that is gone, with everything assigned to it."""
        self.vanish(daemon_uid)
        self._given.pop(daemon_uid, None)

    def jobs_of(self, daemon_uid: str) -> tuple[str, ...]:
        """Return the uids of the jobs that are assigned to the daemon and not over."""
        return tuple(self._given.get(daemon_uid, ()))

    def is_clear(self, daemon_uid: str) -> bool:
        """Return whether the daemon has no job, and no run that may outlive its job."""
        return not self._given.get(daemon_uid) and not self._lingering.get(daemon_uid)

    def used(self, daemon_uid: str) -> int:
        """Return the number of the daemon's slots that are taken."""
        given = self._given.get(daemon_uid, {})
        return len(given) + sum(1 for uid in self._lingering.get(daemon_uid, ()) if uid not in given)

    def lingering_workspaces(self, daemon_uid: str) -> frozenset[NamespacedName]:
        """Return the workspaces that a run of this daemon may still be changing although its job is over."""
        return frozenset(run.workspace for run in self._lingering.get(daemon_uid, {}).values() if run.workspace)


def may_still_run(ended: Job) -> bool:
    """Return whether something of an ended job's run may outlive it: the controller ended the job, or its state is not saved."""
    if ended.started is None:
        return False
    # Its workspace stays occupied until a heartbeat has shown whether the daemon has a state that it could not save.
    if ended.reason == EndReason.STATE_UNSAVED:
        return True
    unresponsive = any(condition.reason == CancelReason.DAEMON_UNRESPONSIVE for condition in ended.conditions)
    return ended.reason in _ENDED_BY_CONTROLLER or unresponsive
