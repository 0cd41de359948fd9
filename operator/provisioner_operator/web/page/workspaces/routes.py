"""The list of workspaces and one workspace, each with its live stream."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.enums import JobType
from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import frame_of, stale_since
from provisioner_operator.web.page.live_views import Make, Rendering, Row, View
from provisioner_operator.web.page.name_pages import START, page_from, pager, start_of
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import foresee, require_ready, require_visible
from provisioner_operator.web.page.words import PHASES, counted
from provisioner_operator.web.page.workspaces.find import active_version, find_workspace
from provisioner_operator.web.page.workspaces.rights import WorkspaceRights, workspace_rights
from provisioner_operator.web.page.workspaces.table import Build, WorkspaceLine, workspace_detail, workspace_line

router = APIRouter()

_MOST_BUILDS = 20
_LONGEST_TEXT = 256
_KEPT_TEXTS = 4096
"""Workspaces whose searched text is kept: a live search reads all of them at each tick."""


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """The workspaces that a user asks for, and what this user may do with them."""

    org: str
    namespaces: frozenset[str]
    job_namespaces: frozenset[str]
    may: WorkspaceRights
    name: str = ""
    """Name of the only workspace; empty for a list."""
    text: str = ""
    """Part of the name, template or owner of those to list."""
    start: str = ""
    """Place at which the page of the list begins."""
    uid: str = ""
    """UID of the only workspace: another of its name has a view of its own."""

    @property
    def rights(self) -> live.Rights:
        """The rights that it depends on, beside that to list workspaces."""
        return self.job_namespaces, *self.may.lasting


@router.get("/organizations/{org}/workspaces")
async def list_workspaces(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the workspaces of an organization, or of all."""
    require_ready(context)
    foresee(caller, org, lists=(WORKSPACES, JOBS), changes={"patch": WORKSPACES, "delete": WORKSPACES})
    namespaces = await require_visible(caller, WORKSPACES, org)
    view = replace(
        await _view(caller, org, namespaces),
        text=request.query_params.get("q", "").strip()[:_LONGEST_TEXT],
        start=start_of(request.query_params.get(START)),
    )
    index = context.index
    if live.wants_stream(request):
        return live.stream(request, context, caller, _live(caller, view, lambda: _rendered(index, view, ticking=True)))
    notice = request.query_params.get("notice")
    frame = await frame_of(context, caller, "Workspaces", org=org, tab="workspaces", live=True, notice=notice)
    region = _rendered(index, view, ticking=False).of(caller.user.name).full()
    return HTMLResponse(
        render("workspaces/list.html", chrome=frame, view=view, path=paths.workspaces(org), region=region)
    )


@router.get("/organizations/{org}/workspaces/{name}")
async def show_workspace(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show one workspace."""
    row = await find_workspace(context, caller, org, name)
    view = replace(await _view(caller, org, frozenset({org})), name=name, uid=row.uid)
    if view.may.depends_on_owner(org):
        view = replace(view, may=replace(view.may, user=caller.user.name))
    index = context.index
    if live.wants_stream(request):
        return live.stream(request, context, caller, _live(caller, view, lambda: _rendered_one(index, view, row)))
    notice = request.query_params.get("notice")
    frame = await frame_of(context, caller, name, org=org, tab="workspaces", live=True, notice=notice)
    region = _rendered_one(index, view, row).full()
    return HTMLResponse(render("workspaces/detail.html", chrome=frame, region=region))


def _rendered(index: ClusterIndex, view: WorkspaceView, *, ticking: bool) -> Rendering:
    stale = stale_since(index)
    rows = index.workspaces.of(view.namespaces)
    words = view.text.lower().split()
    found = [row for row in rows if _matches(row, words)] if words else rows
    page = page_from(found, view.start)
    lines = [_line(index, row, view, ticking=ticking, is_away=stale is not None) for row in page.rows]
    path, all_orgs = paths.workspaces(view.org), view.org == paths.ALL
    owned = [line for line in lines if line.owner and view.may.depends_on_owner(line.org) and stale is None]

    def row_of(line: WorkspaceLine) -> Row:
        return Row(render("workspaces/row.html", workspace=line, all_orgs=all_orgs))

    def own_rows(user: str) -> dict[str, Row]:
        own = replace(view.may, user=user)
        return {line.key: row_of(line.for_rights(own)) for line in owned if line.owner == user}

    return Rendering(
        {line.key: row_of(line) for line in lines},
        lambda rows: render(
            "workspaces/region.html",
            rows=rows,
            stale=stale,
            all_orgs=all_orgs,
            has_any=bool(rows),
            total=counted(len(found), "workspace"),
            org=view.org,
            path=path,
            pager=pager(page, path, q=view.text),
        ),
        owners={line.owner for line in owned},
        own_rows=own_rows,
    )


def _matches(row: ObjectRow, words: Sequence[str]) -> bool:
    text = _searched_text(row)
    return all(word in text for word in words)


@lru_cache(maxsize=_KEPT_TEXTS)
def _searched_text(row: ObjectRow) -> str:
    spec = row.body["spec"]
    return f"{row.name} {spec['templateRef']['name']} {spec.get('owner') or ''}".lower()


def _rendered_one(index: ClusterIndex, view: WorkspaceView, row: ObjectRow) -> Rendering:
    stale = stale_since(index)
    present = index.workspaces.get(row.uid)
    if present is None:
        gone = render("workspaces/gone.html", name=view.name, back=paths.workspaces(view.org))
        return Rendering({}, lambda _: gone)
    line = _line(index, present, view, ticking=True, is_away=stale is not None)
    jobs = index.jobs.of_workspace(row.namespace, row.name) if row.namespace in view.job_namespaces else []
    builds = [each for each in jobs if each.job.type is JobType.WORKSPACE_BUILD][:_MOST_BUILDS]
    detail = workspace_detail(present.body, line, tuple(_build(each) for each in builds), index.now())
    return Rendering({}, lambda _: render("workspaces/workspace.html", workspace=detail, line=line, stale=stale))


def _line(index: ClusterIndex, row: ObjectRow, view: WorkspaceView, *, ticking: bool, is_away: bool) -> WorkspaceLine:
    return workspace_line(
        row.body,
        active_version(index, row),
        None if is_away else view.may,
        now=None if ticking else index.now(),
    )


def _build(row: JobRow) -> Build:
    job = row.job
    return Build(
        row.build_number or 0,
        job.name,
        paths.job(job.namespace, job.name),
        job.transition or "",
        row.version or "",
        PHASES[job.phase],
    )


def _live(caller: Caller, view: WorkspaceView, make: Make) -> View:
    async def present() -> live.Rights:
        return (await _view(caller, view.org, view.namespaces)).rights

    permitted = live.lasting(lambda: live.permitted_to(caller, WORKSPACES, view.namespaces), view.rights, present)
    return View(key=("workspaces", view), make=make, permitted=permitted, user=caller.user.name)


async def _view(caller: Caller, org: str, namespaces: frozenset[str]) -> WorkspaceView:
    may = await workspace_rights(caller, namespaces)
    return WorkspaceView(org, namespaces, await caller.visible(JOBS, namespaces), may)
