"""Jobs, daemons and pools as the core knows them: frozen, slim, already valid.

Made from the API's objects at the edge (`kube.parsing`). Times are seconds since the epoch.
"""

from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import (
    CancelMode,
    ConditionStatus,
    DaemonState,
    JobType,
    Phase,
    Provisioner,
    Transition,
)
from provisioner_operator.core.model.matching import Demand, Supply


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an object's status (metav1.Condition)."""

    type: str
    status: ConditionStatus
    reason: str
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which daemon a job was given to; `id` is unique to this assignment, `instance` the process that acknowledged."""

    daemon: str
    daemon_uid: str
    id: str
    time: float
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A ProvisionerJob, without what only its run needs (source, variables)."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    generation: int
    created: float
    type: JobType
    demand: Demand
    transition: Transition | None = None
    workspace: str | None = None
    priority: int = 0
    suspend: bool = False
    cancel: bool = False
    cancel_mode: CancelMode = CancelMode.GRACEFUL
    cancel_reason: str | None = None
    canceled_by: str | None = None
    pending_timeout: float = 1800
    active_deadline: float = 3600
    stall_timeout: float | None = None
    ttl: float | None = None
    phase: Phase = Phase.PENDING
    reason: str | None = None
    message: str | None = None
    conditions: tuple[Condition, ...] = ()
    assignment: Assignment | None = None
    started: float | None = None
    finished: float | None = None
    suspended_at: float | None = None
    suspended_seconds: float = 0

    @property
    def may_start(self) -> bool:
        """Whether it waits for a daemon: pending, given to nobody, neither held nor to be canceled."""
        return self.phase is Phase.PENDING and self.assignment is None and not self.suspend and not self.cancel

    @property
    def display_name(self) -> str:
        """The job as people write it, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """A run that a daemon's heartbeat lists: its process exists."""

    job_uid: str
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a daemon's spec says of it, as written there: all but its cordon."""

    tags: frozenset[tuple[str, str]]
    provisioners: frozenset[Provisioner]
    capacity: int
    lost_after: int
    cancel_grace: int


@dataclass(frozen=True, slots=True)
class DaemonPod:
    """A Pod that is a daemon."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    offer: Offer
    """What its annotations say that it offers."""
    ready: bool = False
    """Whether kubelet, or the node's lifecycle controller in its place, says that it works."""
    deleting: bool = False
    """Whether it was told to end."""
    ended: str | None = None
    """How its containers ended, once it is certain that none of them runs or will run again."""

    @property
    def display_name(self) -> str:
        """The Pod as people write it, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Daemon:
    """A ProvisionerDaemon and its last heartbeat."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    supply: Supply
    capacity: int = 1
    cordoned: bool = False
    lost_after: float = 300
    cancel_grace: float = 180
    state: DaemonState = DaemonState.OFFLINE
    instance: str | None = None
    heartbeat: str | None = None
    """The time of the last heartbeat, as the daemon wrote it: only ever compared for change."""
    runs: frozenset[ReportedRun] = field(default=frozenset())
    conditions: tuple[Condition, ...] = ()
    offer: Offer | None = None
    """Its spec as written, to be compared with its Pod's annotations."""
    pod_uid: str | None = None
    """The Pod that owns it; None for a daemon that an admin registered."""
    cordoned_by: str | None = None
    """The pool whose mark its cordon bears; None for an admin's."""
    annotated: bool = False
    """Whether it has annotations at all."""

    @property
    def display_name(self) -> str:
        """The daemon as people write it, for messages and logs."""
        return f"{self.namespace}/{self.name}"
