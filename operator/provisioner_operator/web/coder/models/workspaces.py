"""Shapes of workspaces and their builds."""

from typing import Literal
from uuid import UUID

from provisioner_operator.web.coder.models.base import Int32, Int64, Omitted, Shape, Time
from provisioner_operator.web.coder.models.daemons import MatchedProvisioners
from provisioner_operator.web.coder.models.jobs import ProvisionerJob, TransitionWord

WorkspaceStatus = Literal[
    "pending",
    "starting",
    "running",
    "stopping",
    "stopped",
    "failed",
    "canceling",
    "canceled",
    "deleting",
    "deleted",
]


class WorkspaceResource(Shape):
    """A resource that a build changed or kept."""

    id: UUID
    """UUID made from the job and the resource's address."""
    created_at: Time
    job_id: UUID
    workspace_transition: TransitionWord
    type: str
    name: str
    """The resource's address without its type."""
    hide: bool
    icon: str
    daily_cost: Int32


class WorkspaceBuildParameter(Shape):
    """A parameter's value."""

    name: str
    value: str


class WorkspaceBuild(Shape):
    """A build of a workspace: its job, with which it shares its id."""

    id: UUID
    """UID of the job; of the workspace, if its latest job no longer exists or is still to be created."""
    created_at: Time
    updated_at: Time
    workspace_id: UUID
    workspace_name: str
    workspace_owner_id: UUID
    workspace_owner_name: str
    template_version_id: UUID
    template_version_name: str
    build_number: Int32
    transition: TransitionWord
    initiator_id: UUID
    initiator_name: str
    job: ProvisionerJob
    reason: Literal["initiator", "autostop"]
    resources: list[WorkspaceResource]
    deadline: Time | None
    """Time at which the workspace will be stopped."""
    max_deadline: Time | None
    status: WorkspaceStatus
    daily_cost: Int32
    matched_provisioners: Omitted[MatchedProvisioners] = None
    """Daemons for the job, while it is pending."""
    template_version_preset_id: UUID | None


class WorkspaceHealth(Shape):
    """Whether somebody must act for the workspace."""

    healthy: bool
    failing_agents: list[UUID]


class Workspace(Shape):
    """A workspace."""

    id: UUID
    """UID of the Workspace."""
    created_at: Time
    updated_at: Time
    owner_id: UUID
    owner_name: str
    owner_avatar_url: str
    organization_id: UUID
    """UID of the namespace."""
    organization_name: str
    template_id: UUID
    template_name: str
    template_display_name: str
    template_icon: str
    template_allow_user_cancel_workspace_jobs: bool
    template_active_version_id: UUID
    """Of a workspace that moves to the active version by itself, the version that it was built with."""
    template_require_active_version: bool
    template_use_classic_parameter_flow: bool
    latest_build: WorkspaceBuild
    latest_app_status: None
    outdated: bool
    name: str
    ttl_ms: Omitted[Int64] = None
    """Time after a start at which the workspace is stopped, in milliseconds."""
    last_used_at: Time
    """Time of the last change of its latest build."""
    deleting_at: Time | None
    dormant_at: Time | None
    health: WorkspaceHealth
    automatic_updates: Literal["always", "never"]
    """`never` for the updatePolicy Manual, else `always`."""
    allow_renames: bool
    favorite: bool
    next_start_at: Time | None
    is_prebuild: bool


class WorkspacesResponse(Shape):
    """A page of workspaces."""

    workspaces: list[Workspace]
    count: Int32
    """Number of all workspaces that the query selects."""


class CreateWorkspaceBuildRequest(Shape):
    """A request to start, stop or delete a workspace."""

    transition: TransitionWord
    template_version_id: UUID | None = None
    """The version to start with; none, or the nil UUID, leaves it as it is."""
    rich_parameter_values: list[WorkspaceBuildParameter] | None = None
    """Values of parameters to change for a start; the others stay as they are."""
    orphan: bool = False
    """For delete: keep the resources."""


class UpdateAutomaticUpdatesRequest(Shape):
    """A request to change when a workspace moves to its template's active version."""

    automatic_updates: Literal["always", "never"]


class UpdateTTLRequest(Shape):
    """A request to change the time after a start at which a workspace is stopped."""

    ttl_ms: Int64 | None = None
    """Milliseconds; none or 0 for no limit."""
