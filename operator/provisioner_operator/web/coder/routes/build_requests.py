"""Routes that change workspaces: start, stop, delete, and the settings of updates and of the automatic stop."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, UpdatePolicy
from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.core.workspaces.idempotency_key import KeyedRequest, earlier_request
from provisioner_operator.kube import paths
from provisioner_operator.kube.workspace_states import workspace_state
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import workspaces as actions
from provisioner_operator.web.actions.outcome import Outcome, Result
from provisioner_operator.web.actions.target import read_target
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.convert.orphans import orphaned_build
from provisioner_operator.web.coder.idempotency_key import IdempotencyKey
from provisioner_operator.web.coder.locate import workspace_of
from provisioner_operator.web.coder.models.workspaces import (
    CreateWorkspaceBuildRequest,
    UpdateAutomaticUpdatesRequest,
    UpdateTTLRequest,
    WorkspaceBuild,
)
from provisioner_operator.web.coder.newer_build import KnownBuilds, no_build
from provisioner_operator.web.coder.start_values import parameters_to_set, version_to_pin
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.problems import Problem

router = APIRouter(tags=["Workspaces"])

_MILLISECONDS = 1000


@router.post("/workspaces/{workspace}/builds", status_code=201, response_model=WorkspaceBuild)
async def create_build(
    workspace: UUID,
    wanted: Annotated[CreateWorkspaceBuildRequest, Body()],
    context: Context,
    caller: CallerOf,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Start, stop or delete a workspace, and return the build that the operator makes for it.

    409 if a build waits or runs, or if no build was made within five seconds; the message says why. A start or stop that is
    repeated with the same `Idempotency-Key` changes nothing, and returns the build of the first one, as long as the workspace
    was not changed by a request with another key in between. A deletion with any key returns the build of one that is under
    way; once the workspace is gone, 404.
    """
    index = context.index
    row = await workspace_of(workspace, index, caller)
    known = KnownBuilds.of(row, index)
    request = None
    if idempotency_key:
        request = KeyedRequest.of(caller.user.name, idempotency_key, wanted.model_dump_json(), known.number)
    known = await _requested(wanted, known, request, index, caller)
    found = await known.newer(index)
    if found is not None:
        shows_jobs = await caller.may("list", JOBS, row.namespace)
        build = convert.build_of_job(found, index) if shows_jobs else convert.requested_build(row, found, index)
        return json_of(WorkspaceBuild, build, 201)
    if wanted.transition == "delete" and index.workspaces.get(row.uid) is None:
        return json_of(WorkspaceBuild, orphaned_build(index.now(), row, index), 201)
    raise no_build(row, index)


@router.put("/workspaces/{workspace}/autoupdates", status_code=204)
async def set_automatic_updates(
    workspace: UUID, wanted: Annotated[UpdateAutomaticUpdatesRequest, Body()], context: Context, caller: CallerOf
) -> Response:
    """Let a workspace move to its template's active version at each start, or never by itself."""
    row = await workspace_of(workspace, context.index, caller)
    policy = convert.object_of(row).spec.update_policy
    if wanted.automatic_updates == "never":
        policy = UpdatePolicy.MANUAL
    elif policy is UpdatePolicy.MANUAL:
        policy = UpdatePolicy.ON_START
    return _settled(await actions.set_update_policy(caller.client, row, policy), row, context.index)


@router.put("/workspaces/{workspace}/ttl", status_code=204)
async def set_ttl(
    workspace: UUID, wanted: Annotated[UpdateTTLRequest, Body()], context: Context, caller: CallerOf
) -> Response:
    """Set the time after a start at which a workspace is stopped."""
    row = await workspace_of(workspace, context.index, caller)
    seconds = wanted.ttl_ms // _MILLISECONDS if wanted.ttl_ms else None
    return _settled(await actions.set_autostop(caller.client, row, seconds), row, context.index)


async def _requested(
    wanted: CreateWorkspaceBuildRequest,
    known: KnownBuilds,
    request: KeyedRequest | None,
    index: ClusterIndex,
    caller: Caller,
) -> KnownBuilds:
    """Make the change, unless it was made before, and return the builds before it. Raises Problem."""
    row = known.workspace
    if request is not None and (earlier := await _earlier(row, wanted, request, index, caller)) is not None:
        return earlier
    if known.is_active:
        raise Problem(409, "A workspace build is already active.")
    outcome = await _change(wanted, row, request, index, caller)
    if request is not None and outcome.cause is Cause.REPEATED:
        # The same request came twice at the same time.
        return await _earlier(row, wanted, request, index, caller) or known
    if outcome.result is not Result.DONE:
        raise Problem(409, outcome.message)
    return known


async def _earlier(
    row: ObjectRow,
    wanted: CreateWorkspaceBuildRequest,
    request: KeyedRequest,
    index: ClusterIndex,
    caller: Caller,
) -> KnownBuilds | None:
    """Return the builds before the same request, if it was carried out: read anew, since the index may not know it yet."""
    body = await read_target(caller.client, paths.workspace(row.namespace, row.name), row)
    state = workspace_state(body)
    if wanted.transition == "delete":
        # A deletion is remembered by the workspace itself.
        is_same = state.deleting and (not wanted.orphan or state.deletion_policy is DeletionPolicy.ORPHAN)
        return KnownBuilds.before_deletion(row, index) if is_same else None
    earlier = earlier_request(state.meta, request)
    return None if earlier is None else KnownBuilds(row, earlier.builds_before)


async def _change(
    wanted: CreateWorkspaceBuildRequest,
    row: ObjectRow,
    request: KeyedRequest | None,
    index: ClusterIndex,
    caller: Caller,
) -> Outcome:
    if wanted.transition == "delete":
        return await actions.delete(caller.client, row, orphan=wanted.orphan)
    if wanted.transition == "stop":
        return await actions.stop(caller.client, row, again=True, request=request)
    return await actions.start(
        caller.client,
        row,
        parameters=parameters_to_set(row, wanted.rich_parameter_values or ()),
        version=version_to_pin(row, wanted.template_version_id, index),
        again=True,
        request=request,
    )


def _settled(outcome: Outcome, row: ObjectRow, index: ClusterIndex) -> Response:
    if outcome.is_refused:
        raise Problem(409, outcome.message)
    # The client reads the workspace next, perhaps before the watch brings the change. What the watch has removed stays so.
    if outcome.body is not None and index.workspaces.get(row.uid) is not None:
        index.put(WORKSPACES, outcome.body)
    return Response(status_code=204)
