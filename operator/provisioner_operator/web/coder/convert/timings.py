"""Timings of a run in Coder's shape. Pure."""

from uuid import UUID

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.web.coder.models.base import time_of
from provisioner_operator.web.coder.models.jobs import ProvisionerTiming, WorkspaceBuildTimings


def build_timings(job: ProvisionerJob, now: float) -> WorkspaceBuildTimings:
    """Convert the stages of a job's run."""
    return WorkspaceBuildTimings(
        provisioner_timings=[
            ProvisionerTiming(
                job_id=UUID(job.metadata.uid),
                started_at=each.started_at,
                ended_at=each.finished_at or max(time_of(now), each.started_at),
                stage=each.stage,
                source=job.spec.provisioner,
                action=each.stage,
                resource=job.metadata.name,
            )
            for each in job.status.timings
        ],
        agent_script_timings=[],
        agent_connection_timings=[],
    )
