"""Records of templates, workspaces and their builds: frozen, slim, already valid.

Parsed from the API's objects by `kube.workspace_parsing`. Times are seconds since the epoch. Fields that the core need
not understand (sources, variables) are passed on as written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from provisioner_operator.api.v1alpha1.enums import (
    DeletionPolicy,
    ParameterType,
    Phase,
    Provisioner,
    Transition,
    UpdatePolicy,
    VersionPhase,
    WorkspacePhase,
)
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.drift.records import Drift

ParameterValues = tuple[tuple[str, str], ...]
"""Names and values, ordered by name."""
JOB_DELETED = "JobDeleted"
"""Reason of a build whose job was deleted before it ended."""
VANISHED = "JobVanished"
"""Reason of a build whose job is gone although nobody saw it start or end: it may have done either."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Parameter that a template lets its workspaces choose."""

    name: str
    type: ParameterType = ParameterType.STRING
    default: str | None = None
    mutable: bool = False
    options: tuple[str, ...] = ()
    """Values to choose from; any value if there are none."""
    regex: str | None = None
    error: str | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a template's source, as the template's status records it."""

    name: str
    phase: VersionPhase
    import_job: str
    created: float
    message: str | None = None
    superseded: float | None = None
    provisioner: Provisioner = Provisioner.TERRAFORM
    git: JsonObject | None = None
    files: bool = False
    parameters: tuple[Parameter, ...] = ()
    """Parameters that the template declared together with this source."""
    variables: tuple[JsonObject, ...] = ()
    """Variables that the template set when this was its newest version."""
    state: JsonObject | None = None
    """Place of the states of its workspaces; None for Secrets of the namespace."""


@dataclass(frozen=True, slots=True)
class TemplateStatus:
    """Status of a template; the fields are those of the API."""

    active_version: str | None = None
    versions: tuple[Version, ...] = ()
    variables: tuple[JsonObject, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    workspaces: int = 0
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()

    def version(self, name: str | None) -> Version | None:
        """Return the version of that name."""
        return next((each for each in self.versions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Template:
    """A WorkspaceTemplate."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    generation: int
    files: JsonObject | None = None
    """Files in the spec itself."""
    config_map: str | None = None
    """Name of the ConfigMap that holds the files instead."""
    git: JsonObject | None = None
    """Git source of the files instead."""
    import_generation: int = 0
    provisioner: Provisioner = Provisioner.TERRAFORM
    tags: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[JsonObject, ...] = ()
    variables_from: tuple[JsonObject, ...] = ()
    module_credentials: tuple[JsonObject, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    state: JsonObject | None = None
    terraform_version: str | None = None
    parallelism: int | None = None
    allow_user_cancel: bool = False
    priority: int = 0
    pending_timeout: int = field(kw_only=True)
    active_deadline: int = field(kw_only=True)
    stall_timeout: int | None = None
    job_retention: int = field(kw_only=True)
    version_retention: int = field(kw_only=True)
    finalizers: tuple[str, ...] = ()
    deleting: bool = False
    status: TemplateStatus = field(default_factory=TemplateStatus)

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Content of a ConfigMap; `missing` is the reason why there is none."""

    data: JsonObject = field(default_factory=dict)
    binary_data: JsonObject = field(default_factory=dict)
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """The job that imports a version."""

    namespace: str
    template_uid: str
    version: str
    job: str
    job_uid: str
    resource_version: int
    phase: Phase
    reason: str | None = None
    message: str | None = None
    commit: str | None = None
    variables: tuple[JsonObject, ...] = ()
    resources: tuple[ResourceChange, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it has reached a final phase."""
        return self.phase in TERMINAL


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A build as the workspace's status records it."""

    number: int
    job: str
    transition: Transition
    change: str
    """Digest of the desired state."""
    phase: Phase
    version: str | None = None
    reason: str | None = None
    message: str | None = None
    """Message of a job that did not succeed, or that will not start without an edit."""
    started: float | None = None
    finished: float | None = None

    @property
    def ended(self) -> bool:
        """Whether it has reached a final phase."""
        return self.phase in TERMINAL

    @property
    def may_have_begun(self) -> bool:
        """Whether it may have changed resources: it was seen to start, or nobody saw what became of it."""
        return self.started is not None or self.reason == VANISHED

    def deleted(self) -> "BuildRecord":
        """Return the record after the deletion of the job in this state; an end is final."""
        return self if self.ended else replace(self, phase=Phase.CANCELED, reason=JOB_DELETED)

    def vanished(self) -> "BuildRecord":
        """Return the record after the deletion of the job in this state or a later one."""
        if self.ended or self.started is not None:
            return self.deleted()
        return replace(self, phase=Phase.CANCELED, reason=VANISHED)


@dataclass(frozen=True, slots=True)
class Build:
    """A workspace's job, as observed."""

    namespace: str
    workspace: str
    workspace_uid: str
    job_uid: str
    resource_version: int
    record: BuildRecord
    cancel: bool = False
    parameters: ParameterValues = ()
    """All variables with a plain value."""
    outputs: tuple[Output, ...] = ()
    resources: tuple[ResourceChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """The plan of a build as the workspace's status records it."""

    number: int
    job: str
    transition: Transition
    change: str
    """Digest of the desired state that it plans."""
    phase: Phase
    version: str | None = None
    reason: str | None = None
    message: str | None = None
    """The changes that the build would make, or why there is no plan."""
    digest: str | None = None
    """Digest of the plan, if its job keeps one."""
    finished: float | None = None

    @property
    def ended(self) -> bool:
        """Whether its job has reached a final phase."""
        return self.phase in TERMINAL

    def deleted(self) -> "PlanRecord":
        """Return the record after the deletion of the job, with which the plan is gone."""
        phase = self.phase if self.ended else Phase.CANCELED
        return replace(self, phase=phase, reason=JOB_DELETED, digest=None)


@dataclass(frozen=True, slots=True)
class PlanJob:
    """The job that plans a workspace's build and keeps the plan, as observed."""

    namespace: str
    workspace: str
    workspace_uid: str
    job_uid: str
    resource_version: int
    record: PlanRecord
    cancel: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """Status of a workspace; the fields are those of the API."""

    phase: WorkspacePhase = WorkspacePhase.PENDING
    build_number: int = 0
    latest_build: BuildRecord | None = None
    last_run: BuildRecord | None = None
    completed_build: int = 0
    plan: PlanRecord | None = None
    version: str | None = None
    parameters: ParameterValues = ()
    stops_at: float | None = None
    outputs: tuple[Output, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    drift: Drift | None = None
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """A Workspace."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    generation: int
    template: str
    pinned_version: str | None = None
    owner: str | None = None
    initiator: str | None = None
    parameters: ParameterValues = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    running: bool = True
    autostop: float | None = None
    rebuild_generation: int = 0
    update_policy: UpdatePolicy = UpdatePolicy.MANUAL
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    needs_approval: bool = False
    """Whether each build applies a plan that somebody has approved."""
    approved: str | None = None
    """Digest of the approved plan."""
    approval_timeout: float = field(kw_only=True)
    drift_check: int | None = None
    """Seconds between two checks for drift."""
    traceparent: str | None = None
    """Span in whose trace its builds are described, as its annotation says."""
    finalizers: tuple[str, ...] = ()
    deleting: bool = False
    status: WorkspaceStatus = field(default_factory=WorkspaceStatus)

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"
