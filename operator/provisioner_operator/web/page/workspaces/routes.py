"""The list of workspaces and one workspace, each with its live stream."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import frame_of, stale_since
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import allowed_in, require_ready, require_visible
from provisioner_operator.web.page.words import PHASES, counted
from provisioner_operator.web.page.workspaces.find import find_workspace
from provisioner_operator.web.page.workspaces.table import Build, WorkspaceLine, workspace_detail, workspace_line

router = APIRouter()

_MOST_BUILDS = 20


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """The workspaces that a user asks for, and what this user may do with them."""

    org: str
    name: str
    """Name of the only workspace; empty for a list."""
    namespaces: frozenset[str]
    job_namespaces: frozenset[str]
    changeable: frozenset[str]
    deletable: frozenset[str]
    text: str = ""
    """Part of the name, template or owner of those to list."""

    @property
    def rights(self) -> live.Rights:
        """The rights that it depends on, beside that to list workspaces."""
        return self.job_namespaces, self.changeable, self.deletable


@router.get("/organizations/{org}/workspaces")
async def list_workspaces(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the workspaces of an organization, or of all."""
    require_ready(context)
    namespaces = await require_visible(caller, WORKSPACES, org)
    view = await _view(caller, org, "", namespaces, request.query_params.get("q", "").strip()[:256])
    index = context.index
    if live.wants_stream(request):
        return live.stream(request, context, caller, _live(caller, view, lambda: _rendered(index, view, ticking=True)))
    notice = request.query_params.get("notice")
    frame = await frame_of(context, caller, "Workspaces", org=org, tab="workspaces", live=True, notice=notice)
    region = _rendered(index, view, ticking=False).full()
    return HTMLResponse(
        render("workspaces/list.html", chrome=frame, view=view, path=paths.workspaces(org), region=region)
    )


@router.get("/organizations/{org}/workspaces/{name}")
async def show_workspace(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show one workspace."""
    row = await find_workspace(context, caller, org, name)
    view = await _view(caller, org, name, frozenset({org}), "")
    index = context.index
    if live.wants_stream(request):
        return live.stream(request, context, caller, _live(caller, view, lambda: _rendered_one(index, view, row)))
    notice = request.query_params.get("notice")
    frame = await frame_of(context, caller, name, org=org, tab="workspaces", live=True, notice=notice)
    region = _rendered_one(index, view, row).full()
    return HTMLResponse(render("workspaces/detail.html", chrome=frame, region=region))


def _rendered(index: ClusterIndex, view: WorkspaceView, *, ticking: bool) -> live.Rendering:
    stale = stale_since(index)
    lines = [
        _line(index, row, view, ticking=ticking, is_away=stale is not None)
        for row in index.workspaces.of(view.namespaces)
    ]
    words = view.text.lower().split()
    shown = [
        each for each in lines if all(word in f"{each.name} {each.template} {each.owner}".lower() for word in words)
    ]
    all_orgs = view.org == paths.ALL
    return live.Rendering(
        {line.key: render("workspaces/row.html", workspace=line, all_orgs=all_orgs) for line in shown},
        lambda rows: render(
            "workspaces/region.html",
            rows=rows,
            stale=stale,
            all_orgs=all_orgs,
            has_any=bool(lines),
            total=counted(len(shown), "workspace"),
            org=view.org,
            path=paths.workspaces(view.org),
        ),
    )


def _rendered_one(index: ClusterIndex, view: WorkspaceView, row: ObjectRow) -> live.Rendering:
    stale = stale_since(index)
    present = index.workspaces.get(row.uid)
    if present is None:
        gone = render("workspaces/gone.html", name=view.name, back=paths.workspaces(view.org))
        return live.Rendering({}, lambda _: gone)
    line = _line(index, present, view, ticking=True, is_away=stale is not None)
    builds = (
        index.jobs.of_workspace(row.namespace, row.name)[:_MOST_BUILDS] if row.namespace in view.job_namespaces else []
    )
    detail = workspace_detail(present.body, line, tuple(_build(each) for each in builds), index.now())
    return live.Rendering({}, lambda _: render("workspaces/workspace.html", workspace=detail, line=line, stale=stale))


def _line(index: ClusterIndex, row: ObjectRow, view: WorkspaceView, *, ticking: bool, is_away: bool) -> WorkspaceLine:
    return workspace_line(
        row.body,
        may_change=row.namespace in view.changeable and not is_away,
        may_delete=row.namespace in view.deletable and not is_away,
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


def _live(caller: Caller, view: WorkspaceView, make: live.Make) -> live.View:
    async def present() -> live.Rights:
        return (await _view(caller, view.org, view.name, view.namespaces, view.text)).rights

    permitted = live.lasting(lambda: live.permitted_to(caller, WORKSPACES, view.namespaces), view.rights, present)
    return live.View(key=("workspaces", view), make=make, permitted=permitted)


async def _view(caller: Caller, org: str, name: str, namespaces: frozenset[str], text: str) -> WorkspaceView:
    changeable = await allowed_in(caller, "patch", WORKSPACES, namespaces)
    deletable = await allowed_in(caller, "delete", WORKSPACES, namespaces)
    return WorkspaceView(org, name, namespaces, namespaces & await caller.visible(JOBS), changeable, deletable, text)
