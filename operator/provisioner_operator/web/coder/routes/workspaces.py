"""Routes of workspaces: their list, and one workspace."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import etag, json_of, link_to_next, not_modified
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.convert.readable import readable
from provisioner_operator.web.coder.locate import as_uuid, not_found, workspace_of
from provisioner_operator.web.coder.models.workspaces import Workspace, WorkspacesResponse
from provisioner_operator.web.coder.parameters import WorkspaceOptions, WorkspaceParameters
from provisioner_operator.web.coder.routes.people import ME, name_of
from provisioner_operator.web.coder.workspace_search import conditions, selected
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow

router = APIRouter(tags=["Workspaces"])


@router.get("/workspaces", response_model=WorkspacesResponse)
async def list_workspaces(
    request: Request, selection: Annotated[WorkspaceParameters, Query()], context: Context, caller: CallerOf
) -> Response:
    """List the workspaces of all organizations whose workspaces the user may list, by name.

    `count` and the header `X-Total-Count` count all that are selected; where one answer does not hold them, `Link` leads on.
    """
    index = context.index
    namespaces = await caller.visible(WORKSPACES)
    job_namespaces = await caller.visible(JOBS)
    # `owner:me` means another workspace for each user.
    tag = etag(request, index, namespaces, job_namespaces, user=caller.user.name)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    terms = conditions(selection.q)
    if terms.get("owner") == ME:
        terms["owner"] = caller.user.name.lower()
    found = list(selected(terms, index, namespaces, job_namespaces))
    page = readable(found[selection.offset :][: selection.most], convert.object_of)
    shown = [convert.workspace(row, index, shows_jobs=row.namespace in job_namespaces) for row in page]
    headers = {"ETag": tag, "X-Total-Count": str(len(found))}
    following = selection.offset + selection.most
    if following < len(found):
        headers |= link_to_next(request, offset=following)
    return json_of(WorkspacesResponse, WorkspacesResponse(workspaces=shown, count=len(found)), headers=headers)


@router.get("/workspaces/{workspace}", response_model=Workspace)
async def get_workspace(
    workspace: UUID, _options: Annotated[WorkspaceOptions, Query()], context: Context, caller: CallerOf
) -> Response:
    """Return a workspace."""
    row = await workspace_of(workspace, context.index, caller)
    return await _answer(row, context.index, caller)


@router.get("/users/{user}/workspace/{workspace}", response_model=Workspace)
async def get_workspace_by_name(
    user: str,
    workspace: str,
    _options: Annotated[WorkspaceOptions, Query()],
    context: Context,
    caller: CallerOf,
) -> Response:
    """Return a user's workspace by name; if several organizations have one, the newest."""
    row = await named(user, workspace, context.index, caller)
    return await _answer(row, context.index, caller)


async def _answer(row: ObjectRow, index: ClusterIndex, caller: Caller) -> Response:
    shows_jobs = await caller.may("list", JOBS, row.namespace)
    return json_of(Workspace, convert.workspace(row, index, shows_jobs=shows_jobs))


async def named(user: str, workspace: str, index: ClusterIndex, caller: Caller) -> ObjectRow:
    """Return a user's workspace by name. Raises Problem unless the user who asks may list it."""
    is_name = as_uuid(user) is None and user != ME
    owner = user if is_name else await name_of(user, index, caller)
    named = (index.workspaces.named(namespace, workspace) for namespace in await caller.visible(WORKSPACES))
    rows = readable((row for row in named if row is not None), convert.object_of)
    found = [row for row in rows if convert.object_of(row).spec.owner == owner]
    if not found:
        raise not_found()
    return max(found, key=lambda row: (row.created, row.uid))
