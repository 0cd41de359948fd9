"""Hold jobs, daemons and their Pods as last observed, and answer questions about them.

The cache of jobs changes this state; the other reconcilers and the metrics only read it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from provisioner_operator.core.daemons.pods import DaemonPods
from provisioner_operator.core.daemons.registry import KnownDaemons
from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.gone_objects import GoneObjects
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, EndedJob, Job, ReportedState, UnreadableObject
from provisioner_operator.core.model.work_queue import WorkQueue
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from provisioner_operator.core.scheduling.candidates import DaemonKinds
from provisioner_operator.core.scheduling.claimable_times import ClaimableTimes
from provisioner_operator.core.scheduling.explanation import Growth
from provisioner_operator.core.scheduling.explanation_timing import PendingReasons
from provisioner_operator.core.scheduling.placement import Placement
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.smallest_change import Candidate
from provisioner_operator.core.scheduling.unlisted_runs import UnlistedRuns
from provisioner_operator.core.scheduling.workspace_queue import NamespacedName

if TYPE_CHECKING:
    from provisioner_operator.core.jobs.history import History
    from provisioner_operator.core.model.backoff import Backoff


def _tell_nobody(*_: object) -> None:
    """Tell nobody."""


class KnownJobs:
    """Unfinished jobs, ended jobs that still need a write, daemons and their Pods, of all served namespaces."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._ended: dict[str, EndedJob] = {}
        """Ended jobs that still need a write, or that a history is about."""
        self._histories: dict[str, History] = {}
        """Histories of the namespaces whose policies have one."""
        self._gone = GoneObjects()
        """Jobs that ended, and jobs, daemons and Pods that were deleted."""
        self._assigning: set[str] = set()
        """Jobs whose assignments are under way."""
        self._cancel_seen: dict[str, float] = {}
        self._unlisted = UnlistedRuns()
        self._unexplained: dict[str, Backoff] = {}
        """Backoff of each job whose explanation was refused; it holds back nothing else."""
        self._work: WorkQueue[str] = WorkQueue()
        self._queue = AssignmentQueue()
        self._pods = DaemonPods()
        self._daemons = KnownDaemons(self._pods, self._daemon_changed)
        self._placement = Placement(self._daemon_changed)
        self._kinds = DaemonKinds(self._candidate)
        """Part of the fleet that explanations consider."""
        self._tell_pod_changed: Callable[[str], None] = _tell_nobody
        """Called with the uid of each Pod about whose daemon something may have changed."""
        self.wants_ended_jobs = False
        """Whether a policy is about ended jobs that are not known; reset by whoever lists them."""
        self._policies: dict[str, Queue] = {}
        """ProvisionerQueues by uid."""
        self._queue_of: dict[str, str] = {}
        """Uid of the ProvisionerQueue in effect, by namespace."""
        self._status_seen: dict[str, float] = {}
        """Monotonic time of the last look at the status of a namespace's queue."""
        self.changed_fleets: set[str] = set()
        """Namespaces whose daemons or pools changed; emptied by whoever keeps their supplies."""
        self._reasons = PendingReasons()
        self._claimable = ClaimableTimes()
        self._tell_unsaved: Callable[[NamespacedName, str | None], None] = _tell_nobody
        """Called when a state of a workspace could not be saved, with the reason, and with None when that is over."""

    def _daemon_changed(self, uid: str) -> None:
        """Pass on that a daemon, or what runs on it, is not as it was to those who keep what follows from that."""
        if uid in self._daemons:
            self._kinds.change(uid)
        else:
            self._kinds.discard(uid)
        for pod_uid in self._pods.pods_of(uid):
            self._tell_pod_changed(pod_uid)

    def _candidate(self, uid: str) -> Candidate:
        daemon = self._daemons[uid]
        return Candidate(daemon, self._daemons.may_get_jobs(daemon), daemon.capacity > self._placement.used(daemon.uid))

    def _unsaved_state(self, workspace: NamespacedName | None) -> tuple[ReportedState, str] | None:
        """Return the state of the workspace that could not be saved yet, and the name of the daemon that has it."""
        daemon = self._daemons.get(self._placement.keeper_of(workspace) or "")
        state = None if daemon is None or workspace is None else daemon.unsaved_state_of(workspace[1])
        return None if daemon is None or state is None else (state, daemon.name)

    def _fleet_changed(self, namespace: str, now: Instant) -> None:
        """Have the supplies and the explanations of a namespace looked at, of which a daemon was added, removed or changed."""
        self.changed_fleets.add(namespace)
        self._reasons.fleet_changed(namespace, now)

    def open_daemons(self, namespace: str) -> Iterator[Daemon]:
        """Iterate over the namespace's daemons that take new jobs, as far as they have free slots."""
        daemons = self._daemons
        return (each for each in daemons.in_namespace(namespace) if daemons.may_get_jobs(each) and not each.cordoned)

    def growths(self, namespace: str) -> Iterable[Growth]:
        """Return the namespace's pools that create daemons when jobs wait."""
        return self._reasons.growths(namespace)

    def is_unreadable_daemon(self, uid: str) -> bool:
        """Return whether that daemon is in a state that cannot be parsed."""
        return self._daemons.is_unreadable(uid)

    def job(self, uid: str) -> Job | None:
        """Return a job that has not ended, as last observed."""
        return self._jobs.get(uid)

    def claimable_since(self, job: Job) -> float:
        """Return the wall-clock time since which the job could be assigned, had there been a daemon."""
        return self._claimable.of(job)

    def jobs(self) -> Iterator[Job]:
        """Iterate over all jobs that have not ended."""
        return iter(self._jobs.values())

    def daemons(self) -> Iterator[tuple[Daemon, bool]]:
        """Iterate over all daemons, each with whether it is online."""
        return ((daemon, self._daemons.is_online(daemon)) for daemon in self._daemons)

    def unreadable_daemons(self) -> Iterator[UnreadableObject]:
        """Iterate over all daemons in a state that cannot be parsed."""
        return self._daemons.unreadable()

    def pod_of(self, daemon_uid: str) -> str | None:
        """Return the uid of the Pod that owns the daemon; None if there is none, or the daemon is no longer known."""
        return None if (daemon := self._daemons.get(daemon_uid)) is None else daemon.pod_uid

    def tell_of_pods(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the uid of each Pod of which `daemon_of_pod` may return something else from now on."""
        self._tell_pod_changed = tell

    def daemon_of_pod(self, pod_uid: str) -> tuple[Daemon, bool, int] | None:
        """Return the Pod's daemon, whether it takes jobs unless it is cordoned, and its number of occupied slots."""
        daemon = self._daemons.get(self._pods.daemon_of(pod_uid) or "")
        return None if daemon is None else (daemon, self._daemons.works(daemon), self._placement.used(daemon.uid))

    def has_lost(self, daemon: Daemon, now: Instant) -> bool:
        """Return whether the daemon has missed its heartbeats until its runs are certainly over, after it had reported."""
        return daemon.heartbeat is not None and self._daemons.is_lost(daemon.uid, now)

    def queue_depths(self) -> dict[Demand, tuple[int, Job]]:
        """Return the number of jobs of each demand that only wait for a daemon, or until all have shown their runs, and the first."""
        depths = self._queue.depths()
        for job in self._placement.held_jobs():
            if job.uid not in self._queue:
                count, first = depths.get(job.demand, (0, job))
                depths[job.demand] = count + 1, min(first, job, key=queue_key)
        return depths

    @property
    def policy_queues(self) -> PolicyQueues:
        """The queues of the namespaces under their policies, to be read."""
        return self._queue.queues

    def queues(self) -> Iterator[Queue]:
        """Iterate over all ProvisionerQueues."""
        return iter(self._policies.values())

    def held_namespaces(self) -> int:
        """Return the number of namespaces whose builds wait until each daemon has shown what it runs."""
        return self._placement.held_namespaces()

    def ended_uids(self) -> dict[str, str]:
        """Return the uids of known ended jobs, each with its namespace, for a list to find missed deletions."""
        return {uid: job.namespace for uid, job in self._ended.items()}

    def uids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the uids of unfinished jobs and of daemons, for a resync to find missed deletions."""
        return frozenset(self._jobs), self._daemons.uids()

    def pod_uids(self) -> dict[str, str]:
        """Return the uids of daemons' Pods, each with its namespace, for a resync to find missed deletions."""
        return self._pods.uids()
