"""Shapes of templates, their versions and parameters."""

from typing import Literal
from uuid import UUID

from provisioner_operator.web.coder.models.base import Int32, Int64, Omitted, Shape, Time
from provisioner_operator.web.coder.models.jobs import ProvisionerJob
from provisioner_operator.web.coder.models.users import MinimalUser

FormType = Literal["input", "dropdown", "switch", "tag-select"]


class TransitionStats(Shape):
    """Durations of builds, of which none are kept."""

    P50: Int64 | None
    P95: Int64 | None


class BuildTimeStats(Shape):
    """Durations of builds by transition."""

    start: TransitionStats
    stop: TransitionStats
    delete: TransitionStats


class AutostopRequirement(Shape):
    """Days on which workspaces must stop: none."""

    days_of_week: list[str]
    weeks: Int64


class AutostartRequirement(Shape):
    """Days on which workspaces may start: all."""

    days_of_week: list[str]


class Template(Shape):
    """A template."""

    id: UUID
    """UID of the WorkspaceTemplate."""
    created_at: Time
    updated_at: Time
    organization_id: UUID
    """UID of the namespace."""
    organization_name: str
    organization_display_name: str
    organization_icon: str
    name: str
    display_name: str
    provisioner: Literal["terraform", "echo"]
    active_version_id: UUID
    """UUID made from the version's name; the nil UUID until one can be built."""
    active_user_count: Int64
    """Number of workspaces that use the template."""
    build_time_stats: BuildTimeStats
    description: str
    deprecated: bool
    deprecation_message: str
    deleted: bool
    icon: str
    default_ttl_ms: Int64
    activity_bump_ms: Int64
    time_til_autostop_notify_ms: Int64
    autostop_requirement: AutostopRequirement
    autostart_requirement: AutostartRequirement
    created_by_id: UUID
    created_by_name: str
    allow_user_autostart: bool
    allow_user_autostop: bool
    allow_user_cancel_workspace_jobs: bool
    failure_ttl_ms: Int64
    time_til_dormant_ms: Int64
    time_til_dormant_autodelete_ms: Int64
    require_active_version: bool
    max_port_share_level: Literal["owner"]
    cors_behavior: Literal["simple"]
    use_classic_parameter_flow: bool
    """Always true: parameters are those of the template, and do not depend on each other."""
    disable_module_cache: bool


class TemplateVersion(Shape):
    """A state of a template's source."""

    id: UUID
    """UUID made from the version's name."""
    template_id: Omitted[UUID] = None
    organization_id: UUID
    created_at: Time
    updated_at: Time
    name: str
    message: str
    """The reason why its import failed, or empty."""
    job: ProvisionerJob
    """The job that imported it."""
    readme: str
    created_by: MinimalUser
    archived: bool
    has_external_agent: bool


class TemplateVersionParameterOption(Shape):
    """One of the values to choose from."""

    name: str
    description: str
    value: str
    icon: str


class TemplateVersionParameter(Shape):
    """A value that a workspace chooses."""

    name: str
    display_name: Omitted[str] = None
    description: str
    description_plaintext: str
    type: Literal["string", "number", "bool", "list(string)"]
    form_type: FormType
    mutable: bool
    default_value: str
    icon: str
    options: list[TemplateVersionParameterOption]
    validation_error: Omitted[str] = None
    validation_regex: Omitted[str] = None
    validation_min: Omitted[Int32] = None
    validation_max: Omitted[Int32] = None
    required: bool
    ephemeral: bool


class TemplateVersionExternalAuth(Shape):
    """A provider of external authentication, of which there are none."""
