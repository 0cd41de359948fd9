"""Parsing of the jobs of workspaces and templates into the core's records: builds, plans for approval, checks for drift, imports."""

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import drift_job_name
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import clip
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.workspaces.build_history import SUPERSEDED
from provisioner_operator.core.workspaces.decisions import SUPERSEDED_BY
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import Build, BuildRecord, Import, PlanJob, PlanRecord
from provisioner_operator.kube.parsing import as_written, seconds_of
from provisioner_operator.kube.workspace_parsing import outputs_of, resources_of

_LONGEST_MESSAGE = 1024
"""Characters of a message that a build in a workspace's status may have."""


def build_of(model: ProvisionerJob) -> Build | None:
    """Make the record of the build that a job is; None for a job that no workspace made."""
    meta, spec, status = model.metadata, model.spec, model.status
    place = spec.workspace_ref
    if spec.type is not JobType.WORKSPACE_BUILD or place is None or place.uid is None:
        return None
    if place.build_number is None or spec.transition is None:
        return None
    return Build(
        namespace=meta.namespace,
        workspace=place.name,
        workspace_uid=place.uid,
        job_uid=meta.uid,
        resource_version=int(meta.resource_version),
        record=BuildRecord(
            number=place.build_number,
            job=meta.name,
            transition=spec.transition,
            change=place.change or "",
            phase=status.phase,
            version=_template_version(model),
            reason=_reason(model),
            message=_message(model) if _is_explained(model) else None,
            started=seconds_of(status.started_at),
            finished=seconds_of(status.finished_at),
        ),
        cancel=spec.cancel,
        parameters=tuple(sorted((each.name, each.value) for each in spec.variables if each.value is not None)),
        outputs=outputs_of(status.outputs),
        resources=resources_of(status.resources),
    )


def plan_of(model: ProvisionerJob) -> PlanJob | None:
    """Make the record of the plan that a job makes for the approval of a build; None for any other job."""
    meta, spec, status = model.metadata, model.spec, model.status
    place = spec.workspace_ref
    if not spec.keep_plan or place is None or place.uid is None or place.build_number is None:
        return None
    if spec.transition is None:
        return None
    completed = status.phase is Phase.COMPLETED
    return PlanJob(
        namespace=meta.namespace,
        workspace=place.name,
        workspace_uid=place.uid,
        job_uid=meta.uid,
        resource_version=int(meta.resource_version),
        record=PlanRecord(
            number=place.build_number,
            job=meta.name,
            transition=spec.transition,
            change=place.change or "",
            phase=status.phase,
            version=_template_version(model),
            reason=_reason(model),
            message=_message(model) if completed or _is_explained(model) else None,
            digest=status.plan_digest if completed else None,
            finished=seconds_of(status.finished_at),
        ),
        cancel=spec.cancel,
    )


def _template_version(model: ProvisionerJob) -> str | None:
    template = model.spec.template_ref
    return None if template is None else template.version


def _reason(model: ProvisionerJob) -> str | None:
    if _is_superseded(model):
        return SUPERSEDED
    return model.status.reason if _is_explained(model) else None


def _message(model: ProvisionerJob) -> str | None:
    return clip(model.status.message or "", _LONGEST_MESSAGE) or None


def _is_superseded(model: ProvisionerJob) -> bool:
    status = model.status
    never_began = status.phase is Phase.CANCELED and status.started_at is None
    return never_began and (model.spec.cancel_reason or "").startswith(SUPERSEDED_BY)


def _is_explained(model: ProvisionerJob) -> bool:
    """Return whether the workspace tells the job's reason. Transient ones are left out: each would cost a write of its status."""
    status = model.status
    return (status.phase in TERMINAL and status.phase is not Phase.COMPLETED) or status.reason in STUCK


def drift_check_of(model: ProvisionerJob) -> DriftCheck | None:
    """Make the record of the check for drift that a job is; None for another job, such as a plan that a user submitted."""
    meta, spec, status = model.metadata, model.spec, model.status
    place = spec.workspace_ref
    if spec.type is not JobType.WORKSPACE_PLAN or place is None or place.uid is None:
        return None
    # Admission lets only the controller, or an administrator in its place, name a change; the name tells it from its other plans.
    is_check = place.change is not None and meta.name.startswith(drift_job_name(place.name, ""))
    if place.build_number is None or not is_check:
        return None
    return DriftCheck(
        namespace=meta.namespace,
        workspace_uid=place.uid,
        job=meta.name,
        job_uid=meta.uid,
        resource_version=int(meta.resource_version),
        build=place.build_number,
        phase=status.phase,
        message=status.message or "",
        resources=resources_of(status.resources),
        finished=seconds_of(status.finished_at) or 0,
    )


def import_of(model: ProvisionerJob) -> Import | None:
    """Make the record of the import that a job is; None for a job that no template made."""
    meta, spec, status = model.metadata, model.spec, model.status
    template = spec.template_ref
    if spec.type is not JobType.TEMPLATE_IMPORT or template is None or template.uid is None or template.version is None:
        return None
    return Import(
        namespace=meta.namespace,
        template_uid=template.uid,
        version=template.version,
        job=meta.name,
        job_uid=meta.uid,
        resource_version=int(meta.resource_version),
        phase=status.phase,
        reason=status.reason,
        message=status.message,
        commit=status.commit,
        variables=tuple(as_written(each) for each in status.variables),
        resources=resources_of(status.resources),
    )
