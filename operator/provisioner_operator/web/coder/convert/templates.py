"""Templates, their versions and parameters in Coder's shape. Pure."""

from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import JobType, ParameterType, Phase, VersionPhase
from provisioner_operator.api.v1alpha1.parameters import Parameter, RecordedParameter
from provisioner_operator.api.v1alpha1.template import TemplateVersion as VersionObject
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.jobs import RecordedJob, provisioner_job, recorded_job
from provisioner_operator.web.coder.convert.template_names import names_of, object_of
from provisioner_operator.web.coder.convert.users import minimal_user
from provisioner_operator.web.coder.models.base import NIL, time_of
from provisioner_operator.web.coder.models.templates import (
    AutostartRequirement,
    AutostopRequirement,
    BuildTimeStats,
    FormType,
    Template,
    TemplateVersion,
    TemplateVersionParameter,
    TemplateVersionParameterOption,
    TransitionStats,
)
from provisioner_operator.web.coder.models.users import MinimalUser
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow

_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NO_TIMES = dict.fromkeys(
    (
        "default_ttl_ms",
        "activity_bump_ms",
        "time_til_autostop_notify_ms",
        "failure_ttl_ms",
        "time_til_dormant_ms",
        "time_til_dormant_autodelete_ms",
    ),
    0,
)
"""Coder's times after which a workspace of the template changes by itself: a template has none of them."""
_NO_STATS = TransitionStats(P50=None, P95=None)
_PHASE_OF = {
    VersionPhase.IMPORTING: Phase.RUNNING,
    VersionPhase.READY: Phase.COMPLETED,
    VersionPhase.FAILED: Phase.FAILED,
}


def template(row: ObjectRow, index: ClusterIndex) -> Template:
    """Convert a template of the index."""
    spec, status = object_of(row).spec, object_of(row).status
    return Template(
        id=UUID(row.uid),
        created_at=time_of(row.created),
        updated_at=max((each.created_at for each in status.versions), default=time_of(row.created)),
        organization_id=ids.uuid_of(index.namespace_uid(row.namespace)),
        organization_name=row.namespace,
        organization_display_name=row.namespace,
        organization_icon="",
        name=row.name,
        display_name=spec.display_name or row.name,
        provisioner=spec.provisioner.value,
        active_version_id=ids.version_id(row.namespace, status.active_version) if status.active_version else NIL,
        active_user_count=status.workspaces,
        build_time_stats=BuildTimeStats(start=_NO_STATS, stop=_NO_STATS, delete=_NO_STATS),
        description=spec.description or "",
        deprecated=False,
        deprecation_message="",
        deleted=False,
        icon=spec.icon or "",
        **_NO_TIMES,
        autostop_requirement=AutostopRequirement(days_of_week=[], weeks=1),
        autostart_requirement=AutostartRequirement(days_of_week=_DAYS),
        created_by_id=NIL,
        created_by_name="",
        allow_user_autostart=False,
        allow_user_autostop=True,
        allow_user_cancel_workspace_jobs=spec.allow_user_cancel,
        require_active_version=False,
        max_port_share_level="owner",
        cors_behavior="simple",
        use_classic_parameter_flow=True,
        disable_module_cache=False,
    )


def versions(row: ObjectRow) -> list[VersionObject]:
    """Return a template's versions, the newest first."""
    return list(reversed(object_of(row).status.versions))


def template_version(
    row: ObjectRow, version: VersionObject, index: ClusterIndex, *, shows_jobs: bool
) -> TemplateVersion:
    """Convert a version of a template; whoever may not see jobs gets what the template records of its import."""
    job = index.jobs.named(row.namespace, version.import_job) if shows_jobs else None
    version_id = ids.version_id(row.namespace, version.name)
    if job is None:
        record = RecordedJob(
            uid=str(version_id),
            namespace=row.namespace,
            type=JobType.TEMPLATE_IMPORT,
            phase=_PHASE_OF[version.phase],
            created=version.created_at.timestamp(),
            version=version.name,
            message=version.message,
        )
        made = recorded_job(record, names_of(row), index)
    else:
        made = provisioner_job(job, index)
    initiator = job.job.initiator if job is not None else None
    return TemplateVersion(
        id=version_id,
        template_id=UUID(row.uid),
        organization_id=made.organization_id,
        created_at=version.created_at,
        updated_at=made.completed_at or version.created_at,
        name=version.name,
        message=version.message or "",
        job=made,
        readme="",
        created_by=minimal_user(initiator) if initiator else MinimalUser(id=NIL, username=""),
        archived=False,
        has_external_agent=False,
    )


def parameters(row: ObjectRow, version: VersionObject) -> list[TemplateVersionParameter]:
    """Return the parameters of a version, with labels and descriptions where the template still declares them."""
    declared = {each.name: each for each in object_of(row).spec.parameters}
    if version.parameters is None:
        return [_parameter(each, each) for each in declared.values()]
    return [_parameter(each, declared.get(each.name)) for each in version.parameters]


def _parameter(each: Parameter | RecordedParameter, declared: Parameter | None) -> TemplateVersionParameter:
    type_ = each.type or ParameterType.STRING
    validation = each.validation
    labels = {option.value: option for option in declared.options} if declared is not None else {}
    description = (declared.description if declared is not None else None) or ""
    options = [
        TemplateVersionParameterOption(
            name=labels[option.value].name if option.value in labels else option.value,
            description=(labels[option.value].description if option.value in labels else None) or "",
            value=option.value,
            icon="",
        )
        for option in each.options
    ]
    return TemplateVersionParameter(
        name=each.name,
        display_name=declared.display_name if declared is not None else None,
        description=description,
        description_plaintext=description,
        type=type_.value,
        form_type=_form(type_, has_options=bool(options)),
        mutable=bool(each.mutable),
        default_value=each.default or "",
        icon="",
        options=options,
        validation_error=validation.error if validation else None,
        validation_regex=validation.regex if validation else None,
        validation_min=_int32(validation.min) if validation else None,
        validation_max=_int32(validation.max) if validation else None,
        required=each.default is None,
        ephemeral=False,
    )


def _int32(bound: int | None) -> int | None:
    """Return a bound unless it is one that Go's int32 cannot hold; the API server checks it nevertheless."""
    return bound if bound is not None and -(2**31) <= bound < 2**31 else None


def _form(type_: ParameterType, *, has_options: bool) -> FormType:
    if has_options:
        return "dropdown"
    if type_ is ParameterType.BOOL:
        return "switch"
    return "tag-select" if type_ is ParameterType.LIST else "input"
