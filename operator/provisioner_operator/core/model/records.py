"""Records of jobs, daemons and their Pods: frozen, slim, already valid.

Parsed from the API's objects by `kube`. Times are seconds since the epoch.
"""

from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import (
    BackgroundWork,
    CancelMode,
    ConditionStatus,
    DaemonCondition,
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
    """Assignment of a job to a daemon; `id` is unique to it, `instance` is the process that acknowledged."""

    daemon: str
    daemon_uid: str
    id: str
    time: float
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A ProvisionerJob, without the parts that only its run needs (source, variables)."""

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
    workspace_owner: str | None = None
    """User whom the job names as the owner of its workspace."""
    builds_workspace: bool = False
    """Whether it is a build that was created for a Workspace by the controller, or by an administrator in its place."""
    plan_digest: str | None = None
    """Digest of the approved plan that it applies."""
    keeps_plan: bool = False
    """Whether it keeps its plan for an approval."""
    initiator: str | None = None
    template: str | None = None
    labels: frozenset[tuple[str, str]] = frozenset()
    """Its labels, without those of the product itself."""
    background_reason: BackgroundWork | None = None
    """Reason for which nobody waits for it; None for a job that somebody asked for."""
    priority: int = 0
    suspend: bool = False
    cancel: bool = False
    cancel_mode: CancelMode = CancelMode.GRACEFUL
    cancel_reason: str | None = None
    canceled_by: str | None = None
    pending_timeout: float = field(kw_only=True)
    active_deadline: float = field(kw_only=True)
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
    deleting: bool = False
    """Whether it is being deleted: finalizers hold up the deletion, such as that of a deletion in the foreground."""
    observed_generation: int | None = None
    """Generation of the spec on which its status is based."""

    @property
    def changed_workspace(self) -> str | None:
        """Name of the workspace that its run may change; None for a plan, which only reads one."""
        return None if self.type is JobType.WORKSPACE_PLAN else self.workspace

    @property
    def may_start(self) -> bool:
        """Whether it waits for a daemon: pending and not assigned, suspended, to be canceled or being deleted."""
        held_back = self.suspend or self.cancel or self.deleting
        return self.phase is Phase.PENDING and self.assignment is None and not held_back

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class EndedJob:
    """An ended job that needs a write, now or later: the little that this takes, since there may be very many."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    due: float | None = None
    """End of its time to live; None if it has none."""
    unobserved_generation: int | None = None
    """Its generation, if the spec was changed after the last write of its status."""

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """A run that a daemon's heartbeat lists: its process exists."""

    job_uid: str
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedState:
    """A Terraform state that a daemon's heartbeat lists: it could not be saved, and exists only on the daemon's disk."""

    workspace: str
    job: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A daemon's spec as written there, without its cordon."""

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
    """Spec of the daemon, from the Pod's annotations."""
    ready: bool = False
    """Whether kubelet, or the node lifecycle controller in its place, reports it as ready."""
    deleting: bool = False
    """Whether it is being deleted."""
    ended: str | None = None
    """Description of how its containers ended, once it is certain that none of them runs or will run again."""

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object that exists and cannot be parsed, such as one that a later version wrote."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    owner: str | None = None
    """Its `spec.owner`, if it has one that is a text: what a Workspace's jobs are checked against."""
    pod_uid: str | None = None
    """Uid of the Pod that owns it, as of a daemon."""
    deleted_at: float | None = None
    """Time at which its deletion was requested, if it is being deleted: finalizers hold up the deletion."""
    finalizers: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Daemon:
    """A ProvisionerDaemon and its last heartbeat."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    supply: Supply
    offer: Offer
    """Its spec as written, which its heartbeats cannot change."""
    capacity: int = 1
    cordoned: bool = False
    lost_after: float = field(kw_only=True)
    cancel_grace: float = field(kw_only=True)
    state: DaemonState = DaemonState.OFFLINE
    instance: str | None = None
    heartbeat: str | None = None
    """Time of the last heartbeat as the daemon wrote it: only ever compared for change."""
    idle_interval: int = 0
    """Seconds until its next heartbeat at most, as it declared when it last reported that it runs nothing; 0 if it did not."""
    runs: frozenset[ReportedRun] = field(default=frozenset())
    unsaved: tuple[ReportedState, ...] = ()
    """States that only this daemon has."""
    conditions: tuple[Condition, ...] = ()
    created: float = 0.0
    pod_uid: str | None = None
    """Uid of the Pod that owns it; None for a daemon that an admin registered."""
    cordoned_by: str | None = None
    """Name of the pool that cordoned it; None for an admin's cordon."""
    annotated: bool = False
    """Whether it has annotations at all."""
    deleting: bool = False
    """Whether it is being deleted: finalizers hold up the deletion."""
    finalizers: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"

    @property
    def unsaved_workspaces(self) -> frozenset[tuple[str, str]]:
        """Namespaces and names of the workspaces whose states only this daemon has."""
        return frozenset((self.namespace, each.workspace) for each in self.unsaved)

    def unsaved_state_of(self, workspace: str) -> ReportedState | None:
        """Return the state of the workspace that only this daemon has."""
        return next((each for each in self.unsaved if each.workspace == workspace), None)

    @property
    def is_at_rest(self) -> bool:
        """Whether it runs nothing of a workspace, and reports before it takes a job that changes one."""
        return self.idle_interval > 0 and self.state is DaemonState.IDLE and not self.runs

    @property
    def is_healthy(self) -> bool:
        """Whether its runs do not, as it reports itself, all fail as soon as they start."""
        return not any(
            each.type == DaemonCondition.HEALTHY and each.status is ConditionStatus.FALSE for each in self.conditions
        )
