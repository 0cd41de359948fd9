"""Records of a pool's members: each Pod, and its daemon once it is registered."""

from dataclasses import dataclass

DAEMON_SILENT = "DaemonSilent"
"""Reason of a Pod that kubelet reports as ready, and whose daemon has never reported."""
UNSCHEDULABLE = "Unschedulable"
"""The scheduler's reason for a Pod that fits no node now: a wait and no failure, since a node may be added."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Problem that keeps a Pod from working, in the words of kubelet, scheduler or API server."""

    reason: str
    message: str

    @property
    def is_transient(self) -> bool:
        """Whether it may resolve without intervention."""
        return self.reason == UNSCHEDULABLE


@dataclass(frozen=True, slots=True)
class PodEnd:
    """End of a Pod."""

    failed: bool
    finished: float
    ran: float
    """Seconds from the container's start to its end; 0 if it never started."""
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class PoolPod:
    """A Pod that a pool owns."""

    namespace: str
    name: str
    uid: str
    pool_uid: str
    revision: str
    created: float
    ready_since: float | None = None
    """Time since which kubelet reports it as ready; None while it does not."""
    deleting: bool = False
    """Whether it is being deleted, by anybody."""
    end: PodEnd | None = None
    trouble: Trouble | None = None
    """Problem that keeps its container from starting."""


@dataclass(frozen=True, slots=True)
class PoolDaemon:
    """The ProvisionerDaemon of a pool's Pod."""

    uid: str
    online: bool = False
    """Whether it reports, and is not draining."""
    cordoned: bool = False
    cordoned_by_pool: bool = False
    """Whether it has the mark of its pool's cordon, even if somebody else has uncordoned it since."""
    held: int = 0
    """Slots that are taken: by assigned jobs, acknowledged or not, and by runs that outlive their jobs."""
    reported: bool = False
    """Whether it has ever reported."""
    lost: bool = False
    """Whether it has missed its heartbeats for so long that its runs are certainly over, after it had reported once."""
    annotated: bool = False
    """Whether it has annotations at all."""
    has_unsaved_state: bool = False
    """Whether the only copy of some workspace's state is on its disk."""


@dataclass(frozen=True, slots=True)
class Member:
    """One Pod of a pool, and its daemon once it is registered."""

    pod: PoolPod
    daemon: PoolDaemon | None = None

    @property
    def is_over(self) -> bool:
        """Whether the Pod has ended."""
        return self.pod.end is not None

    @property
    def is_present(self) -> bool:
        """Whether it works, or is starting, and is not being deleted."""
        return not self.is_over and not self.pod.deleting

    @property
    def is_lost(self) -> bool:
        """Whether the Pod is to be replaced because its daemon hangs; one that an admin cordoned is the admin's."""
        return self.is_present and self.daemon is not None and self.daemon.lost and not self.is_cordoned_by_admin

    @property
    def held(self) -> int:
        """Number of the daemon's slots that are taken."""
        return self.daemon.held if self.daemon is not None else 0

    @property
    def is_needed(self) -> bool:
        """Whether something would be lost with it: a job, or a state that could not be saved."""
        return self.held > 0 or (self.daemon is not None and self.daemon.has_unsaved_state)

    @property
    def is_ready(self) -> bool:
        """Whether it can run jobs."""
        return self.is_present and self.pod.ready_since is not None and self.daemon is not None and self.daemon.online

    @property
    def silent_since(self) -> float | None:
        """Time since which its Pod is ready although its daemon has never reported; None unless that is so."""
        has_reported = self.daemon is not None and self.daemon.reported
        return self.pod.ready_since if self.is_present and not has_reported else None

    @property
    def is_cordoned(self) -> bool:
        """Whether it gets no further jobs."""
        return self.daemon is not None and self.daemon.cordoned

    @property
    def is_cordoned_by_admin(self) -> bool:
        """Whether an admin cordoned it."""
        return self.daemon is not None and self.daemon.cordoned and not self.daemon.cordoned_by_pool
