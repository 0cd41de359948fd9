"""Provisioner jobs in Coder's shape. Pure."""

from dataclasses import dataclass
from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import JobType, Phase, Transition
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.matching import UNTAGGED
from provisioner_operator.core.model.records import Job
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.template_names import TemplateNames, template_names
from provisioner_operator.web.coder.convert.words import STATUS_OF, TRANSITION_WORD
from provisioner_operator.web.coder.models.base import NIL, time_of
from provisioner_operator.web.coder.models.jobs import ProvisionerJob, ProvisionerJobInput, ProvisionerJobMetadata
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow
from provisioner_operator.web.words import CODER_TYPE_WORD


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
        # The time of the request is in the job's conditions, which the index does not keep.
        canceled_at=time_of(job.finished) if job.cancel and job.finished is not None else None,
        error=_error(job),
        status=STATUS_OF[job.phase],
        worker_id=UUID(job.assignment.daemon_uid) if job.assignment and has_worker else None,
        worker_name=job.assignment.daemon if job.assignment and has_worker else None,
        file_id=NIL,
        tags=dict(sorted(job.demand.tags)),
        queue_position=place.position if place else 0,
        queue_size=place.size if place else 0,
        organization_id=ids.uuid_of(index.namespace_uid(job.namespace)),
        initiator_id=ids.initiator_id(job.initiator),
        input=_input(row),
        type=CODER_TYPE_WORD[job.type],
        available_workers=_workers(job, index),
        metadata=_metadata(row, template_names(index, job.namespace, row.template)),
        logs_overflowed=False,
    )


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """A job that no longer exists, or is still to be created, as its workspace or template records it."""

    uid: str
    """UID of the workspace, or id of the version."""
    namespace: str
    type: JobType
    phase: Phase
    created: float
    version: str
    workspace: ObjectRow | None = None
    transition: Transition | None = None
    message: str | None = None


def recorded_job(record: RecordedJob, template: TemplateNames, index: ClusterIndex) -> ProvisionerJob:
    """Convert a job of which only a record is left."""
    at = time_of(record.created)
    is_build = record.type is JobType.WORKSPACE_BUILD
    return ProvisionerJob(
        id=UUID(record.uid),
        created_at=at,
        completed_at=at if record.phase in TERMINAL else None,
        error=(record.message or "The job failed.") if record.phase is Phase.FAILED else None,
        status=STATUS_OF[record.phase],
        file_id=NIL,
        tags=dict(sorted(UNTAGGED)),
        queue_position=0,
        queue_size=0,
        organization_id=ids.uuid_of(index.namespace_uid(record.namespace)),
        initiator_id=NIL,
        input=ProvisionerJobInput(
            template_version_id=None if is_build else ids.version_id(record.namespace, record.version),
            workspace_build_id=UUID(record.uid) if is_build else None,
        ),
        type=CODER_TYPE_WORD[record.type],
        metadata=ProvisionerJobMetadata(
            template_version_name=record.version,
            template_id=template.id,
            template_name=template.name,
            template_display_name=template.display_name,
            template_icon=template.icon,
            workspace_id=None if record.workspace is None else UUID(record.workspace.uid),
            workspace_name=None if record.workspace is None else record.workspace.name,
            workspace_build_transition=None if record.transition is None else TRANSITION_WORD[record.transition],
        ),
        logs_overflowed=False,
    )


def job_version_id(row: JobRow) -> UUID:
    """Return the id of the version that an import or a dry run checks; of one that no template made, the job's own."""
    if row.version is None:
        return UUID(row.job.uid)
    return ids.version_id(row.job.namespace, row.version)


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
