"""Routes of workspaces: their list, and one workspace."""

from collections.abc import Collection, Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import etag, json_of, not_modified
from provisioner_operator.web.coder.convert import workspaces as convert
from provisioner_operator.web.coder.locate import as_uuid, not_found, workspace_of, workspaces_in
from provisioner_operator.web.coder.models.workspaces import Workspace, WorkspacesResponse
from provisioner_operator.web.coder.parameters import WorkspaceOptions, WorkspaceParameters, search_terms
from provisioner_operator.web.coder.routes.people import ME, name_of
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.problems import Problem

router = APIRouter(tags=["Workspaces"])

_CONDITIONS = frozenset({"owner", "name", "template", "status", "organization", "outdated"})


@router.get("/workspaces", response_model=WorkspacesResponse)
async def list_workspaces(
    request: Request, selection: Annotated[WorkspaceParameters, Query()], context: Context, caller: CallerOf
) -> Response:
    """List the workspaces of all organizations whose workspaces the user may list, by name."""
    index = context.index
    namespaces = await caller.visible(WORKSPACES)
    job_namespaces = await caller.visible(JOBS)
    # `owner:me` means another workspace for each user.
    tag = etag(request, index.version, namespaces, job_namespaces, {caller.user.name})
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    found = list(_selected(_conditions(selection.q, caller), index, namespaces, job_namespaces))
    shown = [
        convert.workspace(row, index, shows_jobs=row.namespace in job_namespaces)
        for row in found[selection.offset :][: selection.most]
    ]
    return json_of(WorkspacesResponse, WorkspacesResponse(workspaces=shown, count=len(found)), headers={"ETag": tag})


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
    rows = workspaces_in(index, await caller.visible(WORKSPACES))
    found = [row for row in rows if row.name == workspace and convert.object_of(row).spec.owner == owner]
    if not found:
        raise not_found()
    return max(found, key=lambda row: (row.created, row.uid))


def _conditions(text: str, caller: Caller) -> dict[str, str]:
    """Return the conditions of a search. Raises Problem for one that does not exist."""
    terms = search_terms(text)
    unknown = sorted(terms.keys() - _CONDITIONS)
    if unknown:
        raise Problem(
            400,
            "Invalid workspace search query.",
            validations=[("q", f"{unknown[0]!r} is no condition: use {', '.join(sorted(_CONDITIONS))}")],
        )
    if terms.get("owner") == ME:
        terms["owner"] = caller.user.name.lower()
    return terms


def _selected(
    terms: dict[str, str], index: ClusterIndex, namespaces: Collection[str], job_namespaces: Collection[str]
) -> Iterator[ObjectRow]:
    for row in workspaces_in(index, namespaces):
        spec = convert.object_of(row).spec
        owner, template = (spec.owner or "").lower(), spec.template_ref.name
        if (
            terms.get("owner", owner) == owner
            and terms.get("name", "") in row.name
            and terms.get("template", template) == template
            and terms.get("organization", row.namespace) in (row.namespace, index.namespace_uid(row.namespace))
            and _has_state(terms, row, index, shows_jobs=row.namespace in job_namespaces)
        ):
            yield row


def _has_state(terms: dict[str, str], row: ObjectRow, index: ClusterIndex, *, shows_jobs: bool) -> bool:
    """Return whether the workspace meets the conditions about its latest build, which cost more than the others."""
    if "status" not in terms and "outdated" not in terms:
        return True
    workspace = convert.workspace(row, index, shows_jobs=shows_jobs)
    outdated = "true" if workspace.outdated else "false"
    status = workspace.latest_build.status
    return terms.get("status", status) == status and terms.get("outdated", outdated) == outdated
