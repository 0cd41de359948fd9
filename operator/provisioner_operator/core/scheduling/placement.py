"""Track slots and workspaces together: a run that outlives its job keeps both, and releases both when it ends.

Part of the job reconciler. Each change returns the uids of the jobs and daemons that it affects, which the reconciler then
queues: jobs whose turn begins or ends, daemons with more or fewer free slots.
"""

from collections.abc import Callable, Iterator

from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.occupancy import Occupancy, may_still_run, tell_nobody
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName, WorkspaceQueues, workspace_of
from provisioner_operator.core.scheduling.workspace_readers import WorkspaceReaders


class Placement:
    """Occupied and free slots and workspaces."""

    def __init__(self, tell_changed: Callable[[str], None] = tell_nobody) -> None:
        """`tell_changed` is called with the uid of each daemon whose slots may be taken by others than before."""
        self._occupancy = Occupancy(tell_changed)
        self._lines = WorkspaceQueues()
        self._readers = WorkspaceReaders()
        self._holders: dict[str, str | None] = {}
        """Namespaces of the daemons whose runs are not known yet, by the daemon's uid."""
        self._unsaved: dict[str, frozenset[NamespacedName]] = {}
        """Workspaces whose states could not be saved and exist only on a daemon's disk, by the daemon's uid."""

    # --- what is known ---

    def jobs_of(self, daemon_uid: str) -> tuple[str, ...]:
        """Return the uids of the jobs that are assigned to the daemon and have not ended."""
        return self._occupancy.jobs_of(daemon_uid)

    def used(self, daemon_uid: str) -> int:
        """Return the number of the daemon's occupied slots."""
        return self._occupancy.used(daemon_uid)

    def is_clear(self, daemon_uid: str) -> bool:
        """Return whether the daemon has no job, no unsaved state, and no run that may outlive its job or is not known yet."""
        has_state = daemon_uid in self._unsaved
        return self._occupancy.is_clear(daemon_uid) and not self.is_holding(daemon_uid) and not has_state

    def held_namespaces(self) -> int:
        """Return the number of namespaces in which daemons hold all workspaces."""
        return self._lines.held()

    def held_jobs(self) -> Iterator[Job]:
        """Iterate over the jobs that could be queued if no daemon held the workspaces of their namespace."""
        return self._lines.held_jobs()

    def is_holding(self, daemon_uid: str) -> bool:
        """Return whether the daemon holds all workspaces of its namespace, because its runs are not known yet."""
        return daemon_uid in self._holders

    def is_turn_of(self, job: Job) -> bool:
        """Return whether this waiting job may be queued for a daemon."""
        return self._lines.is_turn_of(job)

    def is_preceded(self, job: Job) -> bool:
        """Return whether another job or run of the workspace goes before this waiting job."""
        return self._lines.is_preceded(job)

    def blocker_of(self, job: Job) -> str | None:
        """Return the uid of the job or daemon, or the name of the run, that is first in the job's workspace."""
        return self._lines.blocker_of(job)

    def keeper_of(self, place: NamespacedName | None) -> str | None:
        """Return the uid of a daemon that has the state of the workspace, which could not be saved."""
        return next((uid for uid, places in self._unsaved.items() if place in places), None)

    def waiting_in(self, workspace: NamespacedName) -> list[str]:
        """Return the uids of the jobs that wait in the workspace's queue."""
        return self._lines.waiting_in(workspace)

    def next_in(self, workspace: NamespacedName | None) -> list[str]:
        """Return the uid of the job whose turn it is in the workspace, if there is one."""
        following = None if workspace is None else self._lines.next_in(workspace)
        return [] if following is None else [following]

    def concerned_by(self, workspace: NamespacedName) -> list[str]:
        """Return the uids of the jobs whose start a change of the Workspace may forbid: the next, those assigned, and plans."""
        return [
            *self.next_in(workspace),
            *sorted(self._lines.occupants_of(workspace)),
            *self._readers.of(workspace),
        ]

    # --- changes, which return the affected uids ---

    def reserve(self, daemon: Daemon, job: Job) -> None:
        """Reserve a slot and the workspace for a job that is about to be assigned to the daemon."""
        self._occupancy.give(daemon.uid, job.uid)
        if (workspace := workspace_of(job)) is not None:
            self._lines.occupy(workspace, job.uid)

    def give(self, daemon_uid: str, job: Job) -> list[str]:
        """Record that the job is assigned to the daemon."""
        before = self._occupancy.lingering_workspaces(daemon_uid)
        self._occupancy.give(daemon_uid, job.uid)
        return [*self._settle_lingering(daemon_uid, before), daemon_uid]

    def take(self, daemon_uid: str, job_uid: str) -> list[str]:
        """Record that a job that never started is no longer assigned to the daemon."""
        self._occupancy.take(daemon_uid, job_uid)
        return [daemon_uid]

    def occupy(self, job: Job) -> list[str]:
        """Record that the job occupies its workspace."""
        self._readers.add(job)
        if (workspace := workspace_of(job)) is None:
            return []
        # The job whose turn it was must leave the assignment queue, so it is determined before the change.
        following = self.next_in(workspace)
        self._lines.occupy(workspace, job.uid)
        return following

    def join(self, job: Job) -> list[str]:
        """Queue a waiting job in its workspace, or remove it if it is suspended or to be canceled."""
        workspace = workspace_of(job)
        self._readers.add(job)
        # Affected are the job whose turn it was and the one whose turn it is now.
        before = self.next_in(workspace)
        if job.may_start:
            self._lines.wait(job)
        else:
            self._lines.leave(job)
        return [*before, *self.next_in(workspace)]

    def leave(self, job: Job) -> list[str]:
        """Record that the job neither waits nor occupies its workspace any more."""
        workspace = workspace_of(job)
        before = self.next_in(workspace)
        self._lines.leave(job)
        return [*before, *self.next_in(workspace)]

    def end(self, job: Job, ended: Job | None, *, vanished: bool) -> list[str]:
        """Record that a job ended, or that its object is gone (`ended` None); `vanished` if its daemon's process is gone."""
        concerned: list[str] = []
        self._lines.leave(job)
        self._readers.discard(job)
        given = (ended or job).assignment
        if job.assignment is not None and job.assignment != given:
            concerned += self.take(job.assignment.daemon_uid, job.uid)
        if given is not None:
            before = self._occupancy.lingering_workspaces(given.daemon_uid)
            # A deleted job may have been acknowledged just before.
            lingers = ended is None or may_still_run(ended)
            self._occupancy.end(given.daemon_uid, job, may_still_run=lingers and not vanished)
            concerned += [*self._settle_lingering(given.daemon_uid, before), given.daemon_uid]
        elif ended is None:
            concerned += self._delete_waiting(job)
        # Only now: a run that outlives its job has occupied the workspace again.
        return [*concerned, *self.next_in(workspace_of(job))]

    def report(self, daemon: Daemon, *, trusted: bool) -> list[str]:
        """Record the runs that a heartbeat lists; if `trusted`, those of unknown jobs occupy the workspaces that it names."""
        before = self._occupancy.lingering_workspaces(daemon.uid)
        self._occupancy.report(daemon.uid, daemon.namespace, daemon.runs, trusted=trusted)
        return self._settle_lingering(daemon.uid, before)

    def trust_claims(self, daemon: Daemon) -> list[str]:
        """Occupy the workspaces that only the daemon's heartbeats name."""
        before = self._occupancy.lingering_workspaces(daemon.uid)
        self._occupancy.trust_claims(daemon.uid, daemon.namespace)
        return self._settle_lingering(daemon.uid, before)

    def doubt_claims(self, daemon_uid: str) -> list[str]:
        """Free the workspaces that only the daemon's heartbeats name."""
        before = self._occupancy.lingering_workspaces(daemon_uid)
        self._occupancy.doubt_claims(daemon_uid)
        return self._settle_lingering(daemon_uid, before)

    def keep_states(self, daemon_uid: str, workspaces: frozenset[NamespacedName]) -> list[str]:
        """Record of which workspaces the daemon has states that could not be saved: none of their jobs may start."""
        before = self._unsaved.pop(daemon_uid, frozenset())
        if workspaces:
            self._unsaved[daemon_uid] = workspaces
        return self._settle(f"state on {daemon_uid}", before, workspaces)

    def hold(self, daemon_uid: str, namespace: str | None) -> list[str]:
        """Hold all workspaces of the daemon's namespace: it may have runs that are not known yet."""
        self._holders[daemon_uid] = namespace
        return self._lines.hold(namespace, daemon_uid)

    def release(self, daemon_uid: str) -> list[str]:
        """Hold no workspace any more because of what the daemon may run."""
        return self._lines.release(self._holders.pop(daemon_uid), daemon_uid) if self.is_holding(daemon_uid) else []

    def lose(self, daemon_uid: str) -> list[str]:
        """Drop all runs of a daemon whose process is certainly gone."""
        before = self._occupancy.lingering_workspaces(daemon_uid)
        self._occupancy.vanish(daemon_uid)
        return [*self._settle_lingering(daemon_uid, before), *self.jobs_of(daemon_uid)]

    def forget(self, daemon_uid: str) -> None:
        """Drop a daemon that is gone and has neither a job nor a run left."""
        self._occupancy.forget(daemon_uid)

    # --- inside ---

    def _delete_waiting(self, job: Job) -> list[str]:
        if (workspace := workspace_of(job)) is None:
            return []
        before = {uid: self._occupancy.lingering_workspaces(uid) for uid in self._occupancy.listing(job.uid)}
        self._occupancy.delete_waiting(job.uid, workspace)
        return [each for uid, workspaces in before.items() for each in self._settle_lingering(uid, workspaces)]

    def _settle_lingering(self, daemon_uid: str, before: frozenset[NamespacedName]) -> list[str]:
        return self._settle(f"run on {daemon_uid}", before, self._occupancy.lingering_workspaces(daemon_uid))

    def _settle(self, occupant: str, before: frozenset[NamespacedName], after: frozenset[NamespacedName]) -> list[str]:
        concerned: list[str] = []
        for workspace in sorted(after - before):
            concerned += self.next_in(workspace)
            self._lines.occupy(workspace, occupant)
        for workspace in sorted(before - after):
            self._lines.vacate(workspace, occupant)
            concerned += self.next_in(workspace)
        return concerned
