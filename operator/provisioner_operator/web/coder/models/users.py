"""Shapes of users, organizations and the deployment."""

from typing import Literal
from uuid import UUID

from provisioner_operator.web.coder.models.base import Omitted, Shape, Time


class MinimalUser(Shape):
    """A user's id and name."""

    id: UUID
    """UUID made from the name: Kubernetes has none for users."""
    username: str
    name: Omitted[str] = None
    avatar_url: Omitted[str] = None


class SlimRole(Shape):
    """A group of the user."""

    name: str
    display_name: str
    organization_id: Omitted[str] = None


class User(Shape):
    """A user as the API server authenticates it, or one who submitted a job."""

    id: UUID
    """UUID made from the name."""
    username: str
    name: Omitted[str] = None
    avatar_url: Omitted[str] = None
    email: str
    """The name, if that is an address."""
    created_at: Time
    """Always Go's zero time: Kubernetes keeps no users."""
    updated_at: Time
    last_seen_at: Time
    status: Literal["active"]
    login_type: Literal["token"]
    organization_ids: list[UUID]
    """Namespaces whose jobs the user may list; of other users, none."""
    roles: list[SlimRole]
    """The user's groups."""
    has_ai_seat: bool


class Organization(Shape):
    """An organization: a namespace."""

    id: UUID
    """UID of the namespace."""
    name: str
    display_name: str
    icon: str
    description: str
    created_at: Time
    updated_at: Time
    is_default: bool
    """Whether it is the namespace `default`."""
    default_org_member_roles: list[str]


class GenerateAPIKeyResponse(Shape):
    """The token to go on with: the one that was sent."""

    key: str


class BuildInfo(Shape):
    """The version of this server."""

    external_url: str
    version: str
    dashboard_url: str
    telemetry: bool
    workspace_proxy: bool
    agent_api_version: str
    provisioner_api_version: str
    upgrade_message: str
    deployment_id: str
