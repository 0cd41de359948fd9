"""Parsing of WorkspaceTemplates and Workspaces into the core's records."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1 import job_status as job_status_models
from provisioner_operator.api.v1alpha1.drift import WorkspaceDrift
from provisioner_operator.api.v1alpha1.enums import Approval, ParameterType, Provisioner, StateBackend
from provisioner_operator.api.v1alpha1.names import TRACEPARENT_ANNOTATION
from provisioner_operator.api.v1alpha1.parameters import Parameter as ParameterModel
from provisioner_operator.api.v1alpha1.parameters import ParameterValue, RecordedParameter
from provisioner_operator.api.v1alpha1.state import StateStorage
from provisioner_operator.api.v1alpha1.template import TemplateStatus as TemplateStatusModel
from provisioner_operator.api.v1alpha1.template import TemplateVersion, WorkspaceTemplate
from provisioner_operator.api.v1alpha1.workspace import Workspace as WorkspaceModel
from provisioner_operator.api.v1alpha1.workspace import WorkspaceBuild, WorkspacePlan
from provisioner_operator.api.v1alpha1.workspace import WorkspaceStatus as WorkspaceStatusModel
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.tracing.context import parse_traceparent
from provisioner_operator.core.workspaces.drift.records import Drift
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    Parameter,
    ParameterValues,
    PlanRecord,
    Template,
    TemplateStatus,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.kube.parsing import UnparseableObjectError, as_written, conditions_of, explain, seconds_of


def parse_template(body: Mapping[str, Any]) -> Template:
    """Parse a template into its record. Raises UnparseableObjectError."""
    try:
        model = WorkspaceTemplate.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec = model.metadata, model.spec
    source, parameters = spec.source, tuple(_parameter(each) for each in spec.parameters)
    return Template(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        generation=meta.generation,
        files=source.inline.files if source is not None and source.inline is not None else None,
        config_map=source.config_map_ref.name if source is not None and source.config_map_ref is not None else None,
        git=as_written(source.git) if source is not None and source.git is not None else None,
        import_generation=spec.import_generation,
        provisioner=spec.provisioner,
        tags=spec.tags,
        variables=tuple(as_written(each) for each in spec.variables),
        variables_from=tuple(as_written(each) for each in spec.variables_from),
        module_credentials=tuple(as_written(each) for each in spec.module_credentials),
        parameters=parameters,
        state=_state(spec.state),
        terraform_version=spec.terraform_version,
        parallelism=spec.parallelism,
        allow_user_cancel=spec.allow_user_cancel,
        priority=spec.priority,
        pending_timeout=spec.pending_timeout_seconds,
        active_deadline=spec.active_deadline_seconds,
        stall_timeout=spec.stall_timeout_seconds,
        job_retention=spec.retention.job_seconds,
        version_retention=spec.retention.version_seconds,
        finalizers=tuple(meta.finalizers),
        deleting=meta.deletion_timestamp is not None,
        status=_template_status(model.status, spec.provisioner, parameters),
    )


def _template_status(
    model: TemplateStatusModel, provisioner: Provisioner, declared: tuple[Parameter, ...]
) -> TemplateStatus:
    return TemplateStatus(
        active_version=model.active_version,
        versions=tuple(_version(each, provisioner, declared) for each in model.versions),
        variables=tuple(as_written(each) for each in model.variables),
        resources=resources_of(model.resources),
        workspaces=model.workspaces,
        observed_generation=model.observed_generation,
        conditions=conditions_of(model.conditions),
    )


def parse_workspace(body: Mapping[str, Any]) -> Workspace:
    """Parse a workspace into its record. Raises UnparseableObjectError."""
    try:
        model = WorkspaceModel.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec = model.metadata, model.spec
    return Workspace(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        generation=meta.generation,
        template=spec.template_ref.name,
        pinned_version=spec.template_ref.version,
        owner=spec.owner,
        initiator=spec.initiator,
        parameters=_values(spec.parameters),
        tags=spec.tags,
        running=spec.running,
        autostop=spec.autostop_seconds,
        rebuild_generation=spec.rebuild_generation,
        update_policy=spec.update_policy,
        deletion_policy=spec.deletion_policy,
        needs_approval=spec.approval is Approval.REQUIRED,
        approved=spec.approved,
        approval_timeout=spec.approval_timeout_seconds,
        drift_check=spec.drift_check_seconds,
        traceparent=_traceparent(meta.annotations.get(TRACEPARENT_ANNOTATION)),
        finalizers=tuple(meta.finalizers),
        deleting=meta.deletion_timestamp is not None,
        status=_workspace_status(model.status),
    )


def _traceparent(text: str | None) -> str | None:
    # Anything else would only be copied from object to object.
    return text if text is not None and parse_traceparent(text) is not None else None


def _completed_build(status: WorkspaceStatusModel) -> int:
    """Return the number of the last build that completed; 0 if none has.

    In a status of before this was recorded, a workspace that was built counts as one of which a build completed.
    """
    if status.completed_build is not None:
        return status.completed_build
    return 0 if status.last_run is None else status.last_run.number


def _workspace_status(status: WorkspaceStatusModel) -> WorkspaceStatus:
    return WorkspaceStatus(
        phase=status.phase,
        build_number=status.build_number,
        completed_build=_completed_build(status),
        latest_build=_build_record(status.latest_build),
        last_run=_build_record(status.last_run),
        plan=_plan_record(status.plan),
        version=status.version,
        parameters=_values(status.parameters),
        stops_at=seconds_of(status.stops_at),
        outputs=outputs_of(status.outputs),
        resources=resources_of(status.resources),
        drift=_drift(status.drift),
        observed_generation=status.observed_generation,
        conditions=conditions_of(status.conditions),
    )


def _drift(model: WorkspaceDrift | None) -> Drift | None:
    if model is None:
        return None
    return Drift(model.checked_at.timestamp(), model.build_number, model.job, resources_of(model.resources))


def _parameter(model: ParameterModel | RecordedParameter) -> Parameter:
    rules = model.validation
    return Parameter(
        name=model.name,
        type=model.type or ParameterType.STRING,
        default=model.default,
        mutable=bool(model.mutable),
        options=tuple(each.value for each in model.options),
        regex=rules.regex if rules is not None else None,
        error=rules.error if rules is not None else None,
        minimum=rules.min if rules is not None else None,
        maximum=rules.max if rules is not None else None,
    )


def _version(model: TemplateVersion, provisioner: Provisioner, declared: tuple[Parameter, ...]) -> Version:
    # What earlier controllers did not record of a version is taken from its template.
    return Version(
        name=model.name,
        phase=model.phase,
        import_job=model.import_job,
        created=model.created_at.timestamp(),
        message=model.message,
        superseded=seconds_of(model.superseded_at),
        provisioner=model.provisioner or provisioner,
        git=as_written(model.git) if model.git is not None else None,
        files=model.files,
        parameters=declared if model.parameters is None else tuple(_parameter(each) for each in model.parameters),
        variables=tuple(as_written(each) for each in model.variables),
        state=_state(model.state),
    )


def _state(model: StateStorage | None) -> JsonObject | None:
    """Return the place of states; None for the default, whether or not it is written down."""
    return None if model is None or model.backend is StateBackend.KUBERNETES else as_written(model)


def _build_record(model: WorkspaceBuild | None) -> BuildRecord | None:
    if model is None:
        return None
    return BuildRecord(
        number=model.number,
        job=model.job,
        transition=model.transition,
        change=model.change,
        phase=model.phase,
        version=model.version,
        reason=model.reason,
        message=model.message,
        started=seconds_of(model.started_at),
        finished=seconds_of(model.finished_at),
    )


def _plan_record(model: WorkspacePlan | None) -> PlanRecord | None:
    if model is None:
        return None
    return PlanRecord(
        number=model.number,
        job=model.job,
        transition=model.transition,
        change=model.change,
        phase=model.phase,
        version=model.version,
        reason=model.reason,
        message=model.message,
        digest=model.digest,
        finished=seconds_of(model.finished_at),
    )


def _values(models: Iterable[ParameterValue]) -> ParameterValues:
    return tuple(sorted((each.name, each.value) for each in models))


def outputs_of(models: Iterable[job_status_models.Output]) -> tuple[Output, ...]:
    """Make the records of outputs."""
    return tuple(Output(each.name, each.value) for each in models)


def resources_of(models: Iterable[job_status_models.Resource]) -> tuple[ResourceChange, ...]:
    """Make the records of resources and what was done with them."""
    return tuple(ResourceChange(each.address, each.type, each.action) for each in models)
