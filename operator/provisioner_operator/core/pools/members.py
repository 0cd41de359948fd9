"""What a pool is made of, as the shell tells it: each Pod, and the daemon that it became.

Records only, and what can be said of one member by itself. Decided upon in `pools`.
"""

from dataclasses import dataclass

UNSCHEDULABLE = "Unschedulable"
"""The scheduler's word for a Pod that fits no node now: a node may yet come, so this is a wait and no failure."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a Pod from working, in the words of kubelet, scheduler or API server."""

    reason: str
    message: str

    @property
    def passes_by_itself(self) -> bool:
        """Whether nobody has to mend anything."""
        return self.reason == UNSCHEDULABLE


@dataclass(frozen=True, slots=True)
class PodEnd:
    """How a Pod ended."""

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
    """Since when kubelet calls it ready; None while it does not."""
    deleting: bool = False
    """Whether it was told to end, by whomever."""
    end: PodEnd | None = None
    trouble: Trouble | None = None
    """What keeps its container from starting."""


@dataclass(frozen=True, slots=True)
class PoolDaemon:
    """The ProvisionerDaemon of a pool's Pod."""

    uid: str
    online: bool = False
    """Whether it reports, and is not about to stop."""
    cordoned: bool = False
    cordoned_by_pool: bool = False
    """Whether it bears the mark of its pool's cordon; also when somebody has uncordoned it since."""
    held: int = 0
    """Slots that are taken: jobs assigned, acknowledged or not, and runs that outlive their jobs."""
    annotated: bool = False
    """Whether it has annotations at all."""


@dataclass(frozen=True, slots=True)
class Member:
    """One Pod of a pool, and its daemon once it has become one."""

    pod: PoolPod
    daemon: PoolDaemon | None = None

    @property
    def is_over(self) -> bool:
        """Whether the Pod has ended."""
        return self.pod.end is not None

    @property
    def is_present(self) -> bool:
        """Whether it works, or is to work, and nobody has told it to end."""
        return not self.is_over and not self.pod.deleting

    @property
    def held(self) -> int:
        """How many of the daemon's slots are taken."""
        return self.daemon.held if self.daemon is not None else 0

    @property
    def is_ready(self) -> bool:
        """Whether it can run jobs, if it is given any."""
        return self.is_present and self.pod.ready_since is not None and self.daemon is not None and self.daemon.online

    @property
    def is_cordoned(self) -> bool:
        """Whether it gets no further jobs."""
        return self.daemon is not None and self.daemon.cordoned

    @property
    def is_cordoned_by_admin(self) -> bool:
        """Whether an admin cordoned it."""
        return self.daemon is not None and self.daemon.cordoned and not self.daemon.cordoned_by_pool
