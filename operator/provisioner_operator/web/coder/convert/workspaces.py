"""Workspaces and their builds in Coder's shape. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    JobType,
    Phase,
    StatusCondition,
    Transition,
    UpdatePolicy,
)
from provisioner_operator.api.v1alpha1.job_status import Resource
from provisioner_operator.api.v1alpha1.workspace import Workspace as WorkspaceObject
from provisioner_operator.api.v1alpha1.workspace import WorkspaceBuild as RecordedBuild
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.daemons import matched_provisioners
from provisioner_operator.web.coder.convert.jobs import RecordedJob, provisioner_job, recorded_job
from provisioner_operator.web.coder.convert.readable import is_readable, refusing
from provisioner_operator.web.coder.convert.template_names import find_template, template_names
from provisioner_operator.web.coder.convert.template_names import object_of as template_of
from provisioner_operator.web.coder.convert.words import TRANSITION_WORD, workspace_status
from provisioner_operator.web.coder.models.base import NIL, time_of
from provisioner_operator.web.coder.models.jobs import TransitionWord
from provisioner_operator.web.coder.models.workspaces import (
    Workspace,
    WorkspaceBuild,
    WorkspaceBuildParameter,
    WorkspaceHealth,
    WorkspaceResource,
)
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow

_MILLISECONDS = 1000
_KEPT = 1024
"""Number of workspaces that are kept parsed."""


@lru_cache(maxsize=_KEPT)
@refusing
def object_of(row: ObjectRow) -> WorkspaceObject:
    """Return a workspace's model. Raises UnparseableObjectError."""
    return WorkspaceObject.model_validate(row.body)


def workspace(row: ObjectRow, index: ClusterIndex, *, shows_jobs: bool) -> Workspace:
    """Convert a workspace of the index; whoever may not see jobs gets what its status records of the latest."""
    model, build = object_of(row), latest_build(row, index, shows_jobs=shows_jobs)
    spec = model.spec
    names = template_names(index, row.namespace, spec.template_ref.name)
    template = find_template(index, row.namespace, spec.template_ref.name)
    offered = None if template is None else template_of(template)
    active = _version_to_name(model, offered.status.active_version if offered is not None else None)
    return Workspace(
        id=UUID(row.uid),
        created_at=time_of(row.created),
        updated_at=build.updated_at,
        owner_id=ids.initiator_id(spec.owner),
        owner_name=spec.owner or "",
        owner_avatar_url="",
        organization_id=ids.uuid_of(index.namespace_uid(row.namespace)),
        organization_name=row.namespace,
        template_id=names.id,
        template_name=names.name,
        template_display_name=names.display_name,
        template_icon=names.icon,
        template_allow_user_cancel_workspace_jobs=offered is not None and offered.spec.allow_user_cancel,
        template_active_version_id=ids.version_id(row.namespace, active) if active else NIL,
        template_require_active_version=False,
        template_use_classic_parameter_flow=True,
        latest_build=build,
        latest_app_status=None,
        outdated=_has(model, StatusCondition.OUTDATED),
        name=row.name,
        ttl_ms=None if spec.autostop_seconds is None else spec.autostop_seconds * _MILLISECONDS,
        last_used_at=build.updated_at,
        deleting_at=None,
        dormant_at=None,
        health=WorkspaceHealth(healthy=not _has(model, StatusCondition.STALLED), failing_agents=[]),
        automatic_updates="never" if spec.update_policy is UpdatePolicy.MANUAL else "always",
        allow_renames=False,
        favorite=False,
        next_start_at=None,
        is_prebuild=False,
    )


def _version_to_name(model: WorkspaceObject, active: str | None) -> str | None:
    """Return the version that a client should take for the active one.

    A workspace that moves by itself says that it is up to date: else Coder's client, before it starts it, asks for a trial
    run with the newer version, which the operator does without.
    """
    moves_by_itself = model.spec.update_policy is not UpdatePolicy.MANUAL and model.spec.template_ref.version is None
    return model.status.version if moves_by_itself and model.status.version is not None else active


def latest_build(row: ObjectRow, index: ClusterIndex, *, shows_jobs: bool) -> WorkspaceBuild:
    """Return the latest build of a workspace: its newest job, or what its status records of one that is gone or not shown."""
    model = object_of(row)
    job = next(iter(builds_of(row, index)), None) if shows_jobs else None
    recorded = model.status.latest_build
    if job is None or (recorded is not None and (job.build_number or 0) < recorded.number):
        return _recorded_build(row, model, recorded, index)
    is_completed = job.job.phase is Phase.COMPLETED and model.status.completed_build == job.build_number
    return build_of_job(job, index, model.status.resources if is_completed else ())


def requested_build(row: ObjectRow, job: JobRow, index: ClusterIndex) -> WorkspaceBuild:
    """Return the build of a new job for whoever may not see it: what the workspace's status will record at first."""
    recorded = RecordedBuild(
        number=job.build_number or 1,
        job=job.job.name,
        transition=job.job.transition or Transition.START,
        version=job.version,
        change="",
        phase=Phase.PENDING,
    )
    return _recorded_build(row, object_of(row), recorded, index)


def builds_of(row: ObjectRow, index: ClusterIndex) -> list[JobRow]:
    """Return the jobs that build a workspace, the newest first; not those of an earlier one of its name.

    By their numbers: times of creation are to the second, in which a workspace may be stopped and started.
    """
    jobs = index.jobs.of_workspace(row.namespace, row.name)
    found = [each for each in jobs if each.workspace_uid == row.uid and each.job.type is JobType.WORKSPACE_BUILD]
    return sorted(found, key=lambda each: (each.build_number or 0, each.job.created), reverse=True)


def build_of_job(row: JobRow, index: ClusterIndex, resources: Sequence[Resource] = ()) -> WorkspaceBuild:
    """Return the build that a job makes; its workspace may be gone."""
    job = row.job
    transition = job.transition or Transition.START
    version = row.version or ""
    found = index.workspaces.named(job.namespace, job.workspace or "")
    stops_at = None
    is_its = found is not None and found.uid == row.workspace_uid and is_readable(found, object_of)
    if found is not None and is_its and transition is Transition.START:
        stops_at = object_of(found).status.stops_at
    updated = next(each for each in (job.finished, job.started, job.created) if each is not None)
    return WorkspaceBuild(
        id=UUID(job.uid),
        created_at=time_of(job.created),
        updated_at=time_of(updated),
        workspace_id=ids.uuid_of(row.workspace_uid),
        workspace_name=job.workspace or "",
        workspace_owner_id=ids.initiator_id(job.workspace_owner),
        workspace_owner_name=job.workspace_owner or "",
        template_version_id=ids.version_id(job.namespace, version) if version else NIL,
        template_version_name=version,
        build_number=row.build_number or 0,
        transition=TRANSITION_WORD[transition],
        initiator_id=ids.initiator_id(job.initiator),
        initiator_name=job.initiator or "",
        job=provisioner_job(row, index),
        reason="initiator",
        resources=[resource(each, job.uid, job.created, TRANSITION_WORD[transition]) for each in resources],
        deadline=stops_at,
        max_deadline=None,
        status=workspace_status(job.phase, transition),
        daily_cost=0,
        matched_provisioners=matched_provisioners(job, index) if job.phase is Phase.PENDING else None,
        template_version_preset_id=None,
    )


def resource(each: Resource, job_uid: str, created: float, transition: TransitionWord) -> WorkspaceResource:
    """Convert a resource that a job changed or kept."""
    return WorkspaceResource(
        id=ids.resource_id(job_uid, each.address),
        created_at=time_of(created),
        job_id=UUID(job_uid),
        workspace_transition=transition,
        type=each.type,
        name=each.address.removeprefix(f"{each.type}."),
        hide=False,
        icon="",
        daily_cost=0,
    )


def parameters(row: ObjectRow) -> list[WorkspaceBuildParameter]:
    """Return the parameters with which a workspace was built, or those that it was created with."""
    model = object_of(row)
    values = {each.name: each.value for each in model.spec.parameters}
    values = {each.name: each.value for each in model.status.parameters} | values
    return [WorkspaceBuildParameter(name=name, value=value) for name, value in sorted(values.items())]


def _recorded_build(
    row: ObjectRow, model: WorkspaceObject, recorded: RecordedBuild | None, index: ClusterIndex
) -> WorkspaceBuild:
    """Return a build that has no job: one that is gone, or the first, which is still to be created."""
    spec = model.spec
    transition = recorded.transition if recorded is not None else Transition.START
    phase = recorded.phase if recorded is not None else Phase.PENDING
    version = (recorded.version if recorded is not None else None) or model.status.version or ""
    ended = recorded.finished_at if recorded is not None and phase in TERMINAL else None
    created = recorded.started_at.timestamp() if recorded is not None and recorded.started_at else row.created
    version_id = ids.version_id(row.namespace, version) if version else NIL
    word = TRANSITION_WORD[transition]
    message = recorded.message if recorded is not None else None
    record = RecordedJob(
        row.uid, row.namespace, JobType.WORKSPACE_BUILD, phase, created, version, row, transition, message
    )
    return WorkspaceBuild(
        id=UUID(row.uid),
        created_at=time_of(created),
        updated_at=ended or time_of(created),
        workspace_id=UUID(row.uid),
        workspace_name=row.name,
        workspace_owner_id=ids.initiator_id(spec.owner),
        workspace_owner_name=spec.owner or "",
        template_version_id=version_id,
        template_version_name=version,
        build_number=recorded.number if recorded is not None else 0,
        transition=word,
        initiator_id=ids.initiator_id(spec.initiator),
        initiator_name=spec.initiator or "",
        job=recorded_job(record, template_names(index, row.namespace, spec.template_ref.name), index),
        reason="initiator",
        resources=[resource(each, row.uid, created, word) for each in model.status.resources],
        deadline=model.status.stops_at,
        max_deadline=None,
        status=workspace_status(phase, transition),
        daily_cost=0,
        template_version_preset_id=None,
    )


def _has(model: WorkspaceObject, condition: StatusCondition) -> bool:
    return any(each.type == condition and each.status is ConditionStatus.TRUE for each in model.status.conditions)
