"""Shapes of provisioner jobs, their logs and their timings."""

from typing import Literal
from uuid import UUID

from provisioner_operator.web.coder.models.base import Int32, Int64, Omitted, Shape, Time
from provisioner_operator.web.words import JobTypeWord

JobStatus = Literal["pending", "running", "succeeded", "canceling", "canceled", "failed", "unknown"]
TransitionWord = Literal["start", "stop", "delete"]


class ProvisionerJobInput(Shape):
    """Object that the job works for."""

    template_version_id: Omitted[UUID] = None
    """The template's version that an import or a dry run checks."""
    workspace_build_id: Omitted[UUID] = None
    """The build, whose id is that of its job."""
    error: Omitted[str] = None


class ProvisionerJobMetadata(Shape):
    """Template and workspace of the job."""

    template_version_name: str
    template_id: UUID
    template_name: str
    template_display_name: str
    template_icon: str
    workspace_id: Omitted[UUID] = None
    workspace_name: Omitted[str] = None
    workspace_build_transition: Omitted[TransitionWord] = None


class ProvisionerJob(Shape):
    """A provisioner job: `Completed` is `succeeded`, and an organization is a namespace."""

    id: UUID
    """UID of the ProvisionerJob."""
    created_at: Time
    started_at: Omitted[Time] = None
    completed_at: Omitted[Time] = None
    """Time at which the job ended, however it did."""
    canceled_at: Omitted[Time] = None
    """Time of the end of a job that was to be canceled."""
    error: Omitted[str] = None
    """The reason of the failure, in a sentence."""
    error_code: Omitted[str] = None
    status: JobStatus
    worker_id: Omitted[UUID] = None
    """UID of the ProvisionerDaemon that runs or ran the job."""
    worker_name: Omitted[str] = None
    file_id: UUID
    """Always the nil UUID: sources are part of the job, or of its template's version."""
    tags: dict[str, str]
    """Effective tags, with `scope` and `owner`."""
    queue_position: Int32
    """Position among the jobs of the same organization, provisioner and tags; 0 unless the job waits for a daemon."""
    queue_size: Int32
    """Length of that queue."""
    organization_id: UUID
    """UID of the namespace."""
    initiator_id: UUID
    input: ProvisionerJobInput
    type: JobTypeWord
    available_workers: Omitted[list[UUID]] = None
    """Daemons that match a job that has not started, offline ones included."""
    metadata: ProvisionerJobMetadata
    logs_overflowed: bool


class ProvisionerJobLog(Shape):
    """A line of a run's log. The line with which a stage begins has an empty output."""

    id: Int64
    """Number of the line, from 1: what `after` takes."""
    created_at: Time
    log_source: Literal["provisioner_daemon", "provisioner"]
    log_level: Literal["trace", "debug", "info", "warn", "error"]
    stage: str
    output: str


class ProvisionerTiming(Shape):
    """A stage of a run."""

    job_id: UUID
    started_at: Time
    ended_at: Time
    """The end, or the present time while the stage runs."""
    stage: str
    source: str
    action: str
    resource: str


class AgentTiming(Shape):
    """A timing of an agent, of which there are none."""


class WorkspaceBuildTimings(Shape):
    """Stages of a build's run."""

    provisioner_timings: list[ProvisionerTiming]
    agent_script_timings: list[AgentTiming]
    agent_connection_timings: list[AgentTiming]
