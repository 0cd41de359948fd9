"""Shapes of provisioner daemons."""

from typing import Literal
from uuid import UUID

from provisioner_operator.web.coder.models.base import Int32, Shape, Time
from provisioner_operator.web.coder.models.jobs import JobStatus

DaemonStatus = Literal["offline", "idle", "busy"]


class ProvisionerDaemonJob(Shape):
    """A job of a daemon."""

    id: UUID
    status: JobStatus
    template_name: str
    template_icon: str
    template_display_name: str


class ProvisionerDaemon(Shape):
    """A provisioner daemon."""

    id: UUID
    """UID of the ProvisionerDaemon."""
    organization_id: UUID
    """UID of the namespace."""
    key_id: UUID
    """UUID made from `key_name`."""
    created_at: Time
    last_seen_at: Time | None
    """Time of the last heartbeat, by the daemon's clock."""
    name: str
    version: str
    api_version: str
    provisioners: list[str]
    tags: dict[str, str]
    """Effective tags, with `scope` and `owner`."""
    key_name: str | None
    """Always `kubernetes`: a daemon writes with its identity there."""
    status: DaemonStatus | None
    current_job: ProvisionerDaemonJob | None
    """One of the jobs that it runs."""
    previous_job: ProvisionerDaemonJob | None
    """The newest job of the daemon that has ended."""


class MatchedProvisioners(Shape):
    """Number of daemons that match a job."""

    count: Int32
    """Daemons that match, offline ones included."""
    available: Int32
    """Those that take jobs now, busy ones included."""
    most_recently_seen: Time | None
    """The last heartbeat of any of them."""
