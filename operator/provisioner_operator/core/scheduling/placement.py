"""Where work is: which slots and workspaces the jobs take, and who has to be looked at when one becomes free.

Part of `mirror`. Slots (`occupancy`) and workspaces (`workspaces`) change together: a run that outlives its job keeps
both, and whoever waits behind it is to be seen to when it is over. `attention` is the mirror's list of uids to see to.
"""

from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.occupancy import Occupancy, may_still_run
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName, WorkspaceQueues, workspace_of


class Placement:
    """Slots and workspaces, taken and free."""

    def __init__(self, attention: dict[str, None]) -> None:
        self._attention = attention
        self._occupancy = Occupancy()
        self._lines = WorkspaceQueues()

    # --- what is known ---

    def jobs_of(self, daemon_uid: str) -> tuple[str, ...]:
        """The uids of the jobs that the daemon was given and that are not over."""
        return self._occupancy.jobs_of(daemon_uid)

    def used(self, daemon_uid: str) -> int:
        """How many of the daemon's slots are taken."""
        return self._occupancy.used(daemon_uid)

    def is_clear(self, daemon_uid: str) -> bool:
        """Whether the daemon has no job, and no run that may outlive its job."""
        return self._occupancy.is_clear(daemon_uid)

    def is_turn_of(self, job: Job) -> bool:
        """Whether this waiting job may be queued for a daemon."""
        return self._lines.is_turn_of(job)

    def blocker_of(self, job: Job) -> str | None:
        """The uid of a job that goes first in the job's workspace."""
        return self._lines.blocker_of(job)

    # --- what happens ---

    def reserve(self, daemon: Daemon, job: Job) -> None:
        """The job is about to be assigned to the daemon."""
        self._occupancy.give(daemon.uid, job.uid)
        if (workspace := workspace_of(job)) is not None:
            self._lines.occupy(workspace, job.uid)

    def give(self, daemon_uid: str, job: Job) -> None:
        """The job is assigned to the daemon."""
        before = self._occupancy.lingering_workspaces(daemon_uid)
        self._occupancy.give(daemon_uid, job.uid)
        self._settle_lingering(daemon_uid, before)
        self._attention[daemon_uid] = None

    def take(self, daemon_uid: str, job_uid: str) -> None:
        """A job that never started is no longer the daemon's."""
        self._occupancy.take(daemon_uid, job_uid)
        self._attention[daemon_uid] = None

    def occupy(self, job: Job) -> None:
        """The job has its workspace."""
        if (workspace := workspace_of(job)) is not None:
            self._attend_line(workspace)
            self._lines.occupy(workspace, job.uid)

    def join(self, job: Job) -> None:
        """The job waits its turn, unless it is held or to be canceled."""
        workspace = workspace_of(job)
        if workspace is not None:
            self._attend_line(workspace)
        if job.may_start:
            self._lines.wait(job)
        else:
            self._lines.leave(job)
        if workspace is not None:
            self._attend_line(workspace)

    def end(self, job: Job, ended: Job | None, *, vanished: bool) -> None:
        """A live job ended, or its object is gone (`ended` None); `vanished` if its daemon's process is over."""
        self._lines.leave(job)
        given = (ended or job).assignment
        if job.assignment is not None and job.assignment != given:
            self.take(job.assignment.daemon_uid, job.uid)
        if given is not None:
            before = self._occupancy.lingering_workspaces(given.daemon_uid)
            # Of a deleted job nobody knows whether its acknowledgement came just before.
            lingers = ended is None or may_still_run(ended)
            self._occupancy.end(given.daemon_uid, job, may_still_run=lingers and not vanished)
            self._settle_lingering(given.daemon_uid, before)
            self._attention[given.daemon_uid] = None
        if (workspace := workspace_of(job)) is not None:
            self._attend_line(workspace)

    def report(self, daemon: Daemon) -> None:
        """A heartbeat lists what the daemon's process runs."""
        before = self._occupancy.lingering_workspaces(daemon.uid)
        self._occupancy.report(daemon.uid, daemon.namespace, daemon.runs)
        self._settle_lingering(daemon.uid, before)

    def lose(self, daemon_uid: str) -> None:
        """The daemon's process is certainly over, and all its runs with it."""
        before = self._occupancy.lingering_workspaces(daemon_uid)
        self._occupancy.vanish(daemon_uid)
        self._settle_lingering(daemon_uid, before)
        self.attend_jobs_of(daemon_uid)

    def forget(self, daemon_uid: str) -> None:
        """The daemon is gone, and has neither a job nor a run left."""
        self._occupancy.forget(daemon_uid)

    def attend_jobs_of(self, daemon_uid: str) -> None:
        """Something about the daemon concerns its jobs."""
        self._attention.update(dict.fromkeys(self._occupancy.jobs_of(daemon_uid)))

    # --- inside ---

    def _settle_lingering(self, daemon_uid: str, before: frozenset[NamespacedName]) -> None:
        after = self._occupancy.lingering_workspaces(daemon_uid)
        for workspace in after - before:
            self._attend_line(workspace)
            self._lines.occupy(workspace, f"run on {daemon_uid}")
        for workspace in before - after:
            self._lines.vacate(workspace, f"run on {daemon_uid}")
            self._attend_line(workspace)

    def _attend_line(self, workspace: NamespacedName) -> None:
        """See to whose turn it is, before as well as after a change of the line: who has to step back must leave the queue."""
        if (following := self._lines.next_in(workspace)) is not None:
            self._attention[following] = None
