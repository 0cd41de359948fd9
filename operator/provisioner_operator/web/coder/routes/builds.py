"""Routes that read builds: the build of a job, a workspace's builds, their parameters, resources and timings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube import paths
from provisioner_operator.kube.parsing import parse_job_model
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.convert.orphans import orphaned_at, orphaned_build
from provisioner_operator.web.coder.convert.timings import build_timings
from provisioner_operator.web.coder.locate import job_of, not_found, workspace_of
from provisioner_operator.web.coder.models.jobs import WorkspaceBuildTimings
from provisioner_operator.web.coder.models.workspaces import WorkspaceBuild, WorkspaceBuildParameter, WorkspaceResource
from provisioner_operator.web.coder.parameters import BuildParameters
from provisioner_operator.web.coder.routes.workspaces import named
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow

router = APIRouter(tags=["Builds"])


@router.get("/workspacebuilds/{build}", response_model=WorkspaceBuild)
async def get_build(build: UUID, context: Context, caller: CallerOf) -> Response:
    """Return a build, also of a workspace that is gone."""
    return json_of(WorkspaceBuild, await build_of(build, context.index, caller))


@router.get("/workspaces/{workspace}/builds", response_model=list[WorkspaceBuild])
async def list_builds(
    workspace: UUID, selection: Annotated[BuildParameters, Query()], context: Context, caller: CallerOf
) -> Response:
    """List a workspace's builds whose jobs still exist, the newest first."""
    index = context.index
    row = await workspace_of(workspace, index, caller)
    if not await caller.may("list", JOBS, row.namespace):
        raise not_found()
    found = convert.builds_of(row, index)[selection.offset :][: selection.most]
    return json_of(list[WorkspaceBuild], [convert.build_of_job(each, index) for each in found])


@router.get("/users/{user}/workspace/{workspace}/builds/{number}", response_model=WorkspaceBuild)
async def get_build_by_number(
    user: str, workspace: str, number: Annotated[int, Path(ge=0)], context: Context, caller: CallerOf
) -> Response:
    """Return a build of a user's workspace by its number."""
    index = context.index
    row = await named(user, workspace, index, caller)
    shows_jobs = await caller.may("list", JOBS, row.namespace)
    job = next((each for each in convert.builds_of(row, index) if each.build_number == number), None)
    if job is not None and shows_jobs:
        return json_of(WorkspaceBuild, await _build(job, index, caller))
    latest = convert.latest_build(row, index, shows_jobs=shows_jobs)
    if latest.build_number != number:
        raise not_found()
    return json_of(WorkspaceBuild, latest)


@router.get("/workspacebuilds/{build}/parameters", response_model=list[WorkspaceBuildParameter])
async def list_build_parameters(build: UUID, context: Context, caller: CallerOf) -> Response:
    """List the parameters of a build's workspace, as they were last built and as its spec changes them."""
    index = context.index
    job = await job_of_build(build, index, caller)
    uid = build if job is None else UUID(job.workspace_uid or str(build))
    row = await workspace_of(uid, index, caller)
    return json_of(list[WorkspaceBuildParameter], convert.parameters(row))


@router.get("/workspacebuilds/{build}/resources", response_model=list[WorkspaceResource])
async def list_build_resources(build: UUID, context: Context, caller: CallerOf) -> Response:
    """List the resources that a build changed or kept."""
    return json_of(list[WorkspaceResource], (await build_of(build, context.index, caller)).resources)


@router.get("/workspacebuilds/{build}/timings", response_model=WorkspaceBuildTimings)
async def get_build_timings(build: UUID, context: Context, caller: CallerOf) -> Response:
    """Return the stages of a build's run."""
    row = await job_of_build(build, context.index, caller)
    if row is None:
        raise not_found()
    return json_of(WorkspaceBuildTimings, build_timings(await fresh(row, caller), context.index.now()))


@router.get("/workspaces/{workspace}/timings", response_model=WorkspaceBuildTimings)
async def get_workspace_timings(workspace: UUID, context: Context, caller: CallerOf) -> Response:
    """Return the stages of the run of a workspace's latest build."""
    found = convert.builds_of(await workspace_of(workspace, context.index, caller), context.index)
    if not found:
        raise not_found()
    return json_of(WorkspaceBuildTimings, build_timings(await fresh(found[0], caller), context.index.now()))


async def job_of_build(build: UUID, index: ClusterIndex, caller: Caller) -> JobRow | None:
    """Return the job of a build; None if no job has the id, which may be that of a workspace. Raises Problem."""
    if index.jobs.get(str(build)) is None:
        return None
    row = await job_of(build, index, caller)
    if row.job.type is not JobType.WORKSPACE_BUILD:
        raise not_found()
    return row


async def build_of(build: UUID, index: ClusterIndex, caller: Caller) -> WorkspaceBuild:
    """Return the build of this id. Raises Problem."""
    row = await job_of_build(build, index, caller)
    if row is not None:
        return await _build(row, index, caller)
    if (at := orphaned_at(build)) is not None:
        return orphaned_build(at)
    workspace = await workspace_of(build, index, caller)
    shows_jobs = await caller.may("list", JOBS, workspace.namespace)
    return convert.latest_build(workspace, index, shows_jobs=shows_jobs)


async def fresh(row: JobRow, caller: Caller) -> ProvisionerJob:
    """Read a job with the user's own token. Raises KubeError."""
    body = await caller.client.get(paths.job(row.job.namespace, row.job.name))
    if body["metadata"]["uid"] != row.job.uid:
        raise not_found()
    return parse_job_model(body)


async def _build(row: JobRow, index: ClusterIndex, caller: Caller) -> WorkspaceBuild:
    if row.job.phase is not Phase.COMPLETED:
        return convert.build_of_job(row, index)
    return convert.build_of_job(row, index, (await fresh(row, caller)).status.resources)
