"""Provisioner jobs in Coder's shape. Pure."""

from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import JobCondition, JobType, Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.matching import UNTAGGED
from provisioner_operator.core.model.records import Job
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.template_names import TemplateNames, template_names
from provisioner_operator.web.coder.convert.words import STATUS_OF, TRANSITION_WORD, TYPE_WORD
from provisioner_operator.web.coder.models.base import NIL, time_of
from provisioner_operator.web.coder.models.jobs import ProvisionerJob, ProvisionerJobInput, ProvisionerJobMetadata
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow


def provisioner_job(row: JobRow, index: ClusterIndex) -> ProvisionerJob:
    """Convert a job of the index."""
    job = row.job
    place = index.queue.place(job.uid) if job.phase is Phase.PENDING else None
    has_worker = job.assignment is not None and job.phase is not Phase.PENDING
    return ProvisionerJob(
        id=UUID(job.uid),
        created_at=time_of(job.created),
        started_at=None if job.started is None else time_of(job.started),
        completed_at=None if job.finished is None else time_of(job.finished),
        canceled_at=None if (canceled := _canceled(job)) is None else time_of(canceled),
        error=_error(job),
        status=STATUS_OF[job.phase],
        worker_id=UUID(job.assignment.daemon_uid) if job.assignment and has_worker else None,
        worker_name=job.assignment.daemon if job.assignment and has_worker else None,
        file_id=NIL,
        tags=dict(job.demand.tags),
        queue_position=place.position if place else 0,
        queue_size=place.size if place else 0,
        organization_id=ids.uuid_of(index.namespace_uid(job.namespace)),
        initiator_id=ids.initiator_id(job.initiator),
        input=_input(row),
        type=TYPE_WORD[job.type],
        available_workers=_workers(job, index),
        metadata=_metadata(row, template_names(index, job.namespace, row.template)),
        logs_overflowed=False,
    )


def recorded_job(
    *, uid: str, organization: UUID, type_: JobType, phase: Phase, created: float, version: UUID, names: TemplateNames
) -> ProvisionerJob:
    """Return a job that no longer exists, or is still to be created, from what its workspace or template records of it."""
    at = time_of(created)
    return ProvisionerJob(
        id=UUID(uid),
        created_at=at,
        completed_at=at if phase in TERMINAL else None,
        status=STATUS_OF[phase],
        file_id=NIL,
        tags=dict(UNTAGGED),
        queue_position=0,
        queue_size=0,
        organization_id=organization,
        initiator_id=NIL,
        input=ProvisionerJobInput(
            template_version_id=version if type_ is not JobType.WORKSPACE_BUILD else None,
            workspace_build_id=UUID(uid) if type_ is JobType.WORKSPACE_BUILD else None,
        ),
        type=TYPE_WORD[type_],
        metadata=ProvisionerJobMetadata(
            template_version_name=names.version,
            template_id=names.id,
            template_name=names.name,
            template_display_name=names.display_name,
            template_icon=names.icon,
        ),
        logs_overflowed=False,
    )


def job_version_id(row: JobRow) -> UUID:
    """Return the id of the version that an import or a dry run checks; of one that no template made, the job's own."""
    if row.version is None:
        return UUID(row.job.uid)
    return ids.version_id(row.job.namespace, row.version)


def _canceled(job: Job) -> float | None:
    """Return the time at which the controller saw the request to cancel; of an ended job, its end."""
    if not job.cancel:
        return None
    seen = next((each.since for each in job.conditions if each.type == JobCondition.CANCEL_REQUESTED), None)
    return seen if seen is not None else job.finished


def _error(job: Job) -> str | None:
    return (job.message or job.reason or "The job failed.") if job.phase is Phase.FAILED else None


def _input(row: JobRow) -> ProvisionerJobInput:
    if row.job.type is JobType.WORKSPACE_BUILD:
        return ProvisionerJobInput(workspace_build_id=UUID(row.job.uid))
    return ProvisionerJobInput(template_version_id=job_version_id(row))


def _workers(job: Job, index: ClusterIndex) -> list[UUID] | None:
    if job.phase is not Phase.PENDING:
        return None
    return [UUID(daemon.uid) for daemon in index.queue.matching_daemons(job)] or None


def _metadata(row: JobRow, template: TemplateNames) -> ProvisionerJobMetadata:
    job = row.job
    return ProvisionerJobMetadata(
        template_version_name=row.version or "",
        template_id=template.id if template.id != NIL else ids.uuid_of(row.template_uid),
        template_name=template.name,
        template_display_name=template.display_name,
        template_icon=template.icon,
        workspace_id=None if row.workspace_uid is None else UUID(row.workspace_uid),
        workspace_name=job.workspace,
        workspace_build_transition=None if job.transition is None else TRANSITION_WORD[job.transition],
    )
