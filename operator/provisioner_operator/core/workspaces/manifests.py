"""Build the manifests that workspaces and templates create: the jobs of builds and imports, and kept files."""

from math import ceil

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, JobType, Transition
from provisioner_operator.api.v1alpha1.limits import LOWEST_PRIORITY
from provisioner_operator.api.v1alpha1.names import (
    API_VERSION,
    BUILD_REASON_LABEL,
    TEMPLATE_LABEL,
    TRACEPARENT_ANNOTATION,
    WORKSPACE_LABEL,
    build_job_name,
)
from provisioner_operator.core.model.file_paths import to_config_map
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    ParameterValues,
    SourceFiles,
    Template,
    Version,
    Workspace,
)


def kept_files(template: Template, version: str, files: SourceFiles) -> JsonObject:
    """Return the immutable ConfigMap of a version's files, which the template owns."""
    owner: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "WorkspaceTemplate",
        "name": template.name,
        "uid": template.uid,
        "controller": True,
    }
    content = dict(to_config_map(files.data, files.binary_data))
    annotations = content.pop("annotations", None)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": version,
            "namespace": template.namespace,
            "labels": {TEMPLATE_LABEL: template.name},
            "ownerReferences": [owner],
            **({} if annotations is None else {"annotations": annotations}),
        },
        "immutable": True,
        **content,
    }


def import_job(template: Template, version: Version) -> JsonObject:
    """Return the job that imports a version."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ProvisionerJob",
        "metadata": {
            "name": version.import_job,
            "namespace": template.namespace,
            "labels": {TEMPLATE_LABEL: template.name},
        },
        "spec": {
            "type": JobType.TEMPLATE_IMPORT,
            "provisioner": version.provisioner,
            "tags": template.tags,
            "templateRef": {"name": template.name, "uid": template.uid, "version": version.name},
            **_source(version),
            **_module_credentials(template),
            **_terraform(template),
            **_limits(template),
        },
    }


def build_job(
    workspace: Workspace,
    template: Template,
    version: Version,
    *,
    number: int,
    transition: Transition,
    change: str,
    parameters: ParameterValues,
    plan: JsonObject | None = None,
) -> JsonObject:
    """Return the job that builds a change of a workspace, by the approved `plan` if one is given."""
    spec = {
        **_workspace_spec(JobType.WORKSPACE_BUILD, workspace, template, version, transition, parameters),
        "workspaceRef": {**_workspace_ref(workspace, number), "change": change},
        **_initiator(workspace, transition),
        "ownerMayCancel": template.allow_user_cancel,
        **({} if plan is None else {"planRef": plan}),
    }
    # Nobody asked for the stop of a workspace that is to run.
    is_autostop = transition is Transition.STOP and workspace.running
    reason = BackgroundWork.AUTOSTOP if is_autostop else None
    job = _job_of_workspace(build_job_name(workspace.name, number), workspace, template, spec, reason)
    return _traced(job, workspace)


def plan_job(
    name: str,
    workspace: Workspace,
    template: Template,
    version: Version,
    *,
    number: int,
    transition: Transition,
    parameters: ParameterValues,
) -> JsonObject:
    """Return the job that shows what the build of this number would change."""
    spec = {
        **_workspace_spec(JobType.WORKSPACE_PLAN, workspace, template, version, transition, parameters),
        "workspaceRef": _workspace_ref(workspace, number),
    }
    return _job_of_workspace(name, workspace, template, spec)


def kept_plan_job(
    workspace: Workspace,
    template: Template,
    version: Version,
    *,
    number: int,
    transition: Transition,
    change: str,
    parameters: ParameterValues,
) -> JsonObject:
    """Return the job that plans a change of a workspace and keeps the plan for its approval."""
    spec = {
        **_workspace_spec(JobType.WORKSPACE_PLAN, workspace, template, version, transition, parameters),
        "workspaceRef": {**_workspace_ref(workspace, number), "change": change},
        **_initiator(workspace, transition),
        "ownerMayCancel": template.allow_user_cancel,
        "keepPlan": True,
        # The plan is deleted with the job: not before a build that was approved in time has begun.
        "ttlSecondsAfterFinished": ceil(workspace.approval_timeout) + template.pending_timeout,
    }
    return _traced(_job_of_workspace(build_job_name(workspace.name, number), workspace, template, spec), workspace)


def drift_check_job(
    name: str, workspace: Workspace, template: Template, version: Version, build: BuildRecord
) -> JsonObject:
    """Return the job that plans a build of the workspace again, with the values that its status records."""
    interval = workspace.drift_check or template.job_retention
    spec = {
        **_workspace_spec(
            JobType.WORKSPACE_PLAN, workspace, template, version, build.transition, workspace.status.parameters
        ),
        "workspaceRef": {**_workspace_ref(workspace, build.number), "change": build.change},
        **_initiator(workspace, build.transition),
        "ownerMayCancel": template.allow_user_cancel,
        # Everybody who waits for a daemon goes first.
        "priority": LOWEST_PRIORITY,
        # So it is gone before the next check ends: at most one ended check is kept.
        "ttlSecondsAfterFinished": min(interval, template.job_retention),
    }
    return _job_of_workspace(name, workspace, template, spec, BackgroundWork.DRIFT)


def _job_of_workspace(
    name: str, workspace: Workspace, template: Template, spec: JsonObject, reason: BackgroundWork | None = None
) -> JsonObject:
    labels: JsonObject = {
        WORKSPACE_LABEL: workspace.name,
        TEMPLATE_LABEL: template.name,
        **({} if reason is None else {BUILD_REASON_LABEL: reason}),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ProvisionerJob",
        "metadata": {"name": name, "namespace": workspace.namespace, "labels": labels},
        "spec": spec,
    }


def _traced(job: JsonObject, workspace: Workspace) -> JsonObject:
    """Return a job that somebody's change of the workspace asked for, in the trace of that change."""
    if workspace.traceparent is None:
        return job
    metadata = job["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - made above
    return {**job, "metadata": {**metadata, "annotations": {TRACEPARENT_ANNOTATION: workspace.traceparent}}}


def _workspace_spec(
    type_: JobType,
    workspace: Workspace,
    template: Template,
    version: Version,
    transition: Transition,
    parameters: ParameterValues,
) -> JsonObject:
    """Return what a plan has in common with the build that it shows: all that the result depends on."""
    return {
        "type": type_,
        "transition": transition,
        "provisioner": version.provisioner,
        "tags": {**template.tags, **workspace.tags},
        "templateRef": {"name": template.name, "version": version.name},
        **_source(version),
        "variables": _variables(template, version, parameters),
        "variablesFrom": template.variables_from,
        **_module_credentials(template),
        **({} if version.state is None else {"state": version.state}),
        **_terraform(template),
        **_limits(template),
    }


def _workspace_ref(workspace: Workspace, number: int) -> JsonObject:
    reference: JsonObject = {"name": workspace.name, "uid": workspace.uid, "buildNumber": number}
    return {**reference, "owner": workspace.owner} if workspace.owner else reference


def _initiator(workspace: Workspace, transition: Transition) -> JsonObject:
    # A deletion writes nobody's name into the object, so the initiator of a destroy is unknown.
    if not workspace.initiator or transition is Transition.DELETE:
        return {}
    return {"initiator": workspace.initiator}


def _source(version: Version) -> JsonObject:
    if version.git is not None:
        return {"source": {"git": version.git}}
    return {"source": {"configMapRef": {"name": version.name}}} if version.files else {}


def _module_credentials(template: Template) -> JsonObject:
    # Absent if there are none: definitions of an older release do not know the field.
    return {"moduleCredentials": template.module_credentials} if template.module_credentials else {}


def _variables(template: Template, version: Version, parameters: ParameterValues) -> list[JsonValue]:
    """Return the variables of a build: of each name the chosen value, else the template's of today, else the version's."""
    chosen: dict[str, JsonValue] = {name: {"name": name, "value": value} for name, value in parameters}
    # A variable that the template has lost may have become a key of its Secrets, which a value here would override.
    of_version = () if template.variables_from else version.variables
    fixed: dict[str, JsonValue] = {str(each["name"]): each for each in (*of_version, *template.variables)}
    return list((fixed | chosen).values())


def _terraform(template: Template) -> JsonObject:
    settings = {"terraformVersion": template.terraform_version, "parallelism": template.parallelism}
    return {name: value for name, value in settings.items() if value is not None}


def _limits(template: Template) -> JsonObject:
    limits: JsonObject = {
        "priority": template.priority,
        "pendingTimeoutSeconds": template.pending_timeout,
        "activeDeadlineSeconds": template.active_deadline,
        "ttlSecondsAfterFinished": template.job_retention,
    }
    return limits if template.stall_timeout is None else {**limits, "stallTimeoutSeconds": template.stall_timeout}
