"""The first page: the organizations that the user may see, with what needs attention in each."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import frame_of, stale_since
from provisioner_operator.web.page.live_views import Rendering, Row, View
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import require_ready

router = APIRouter()

Visible = Mapping[str, frozenset[str]]
"""Namespaces whose objects the user may list, by plural."""


@dataclass(frozen=True, slots=True)
class OrganizationLine:
    """One organization."""

    name: str
    stuck: int
    pending: int
    running: int
    failed: int
    online: int | None
    """Provisioners that take jobs; None if the user may not list them."""
    daemons: int
    workspace_count: int | None

    @property
    def jobs(self) -> str:
        """Address of its jobs."""
        return paths.jobs(self.name)

    @property
    def provisioners(self) -> str:
        """Address of its provisioners."""
        return paths.provisioners(self.name)

    @property
    def workspaces(self) -> str:
        """Address of its workspaces."""
        return paths.workspaces(self.name)


@router.get("/")
async def list_organizations(request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the organizations."""
    require_ready(context)
    visible = await _visible(caller)
    index = context.index
    if live.wants_stream(request):

        async def present() -> live.Rights:
            return tuple((await _visible(caller)).values())

        view = View(
            key=("organizations", *visible.items(), caller.user.name if not visible[JOBS] else ""),
            make=lambda: _rendering(index, visible, caller.user.name),
            permitted=live.lasting(
                lambda: live.permitted_to(caller, JOBS, visible[JOBS]), tuple(visible.values()), present
            ),
        )
        return live.stream(request, context, caller, view)
    frame = await frame_of(context, caller, "Organizations", live=True)
    region = _rendering(index, visible, caller.user.name).full()
    return HTMLResponse(render("organizations.html", chrome=frame, region=region))


def organization_line(index: ClusterIndex, name: str, visible: Visible) -> OrganizationLine:
    """Return the line of an organization."""
    found = index.jobs.counts({name})
    daemons = index.daemons.of({name}) if name in visible[DAEMONS] else []
    records = [daemon for row in daemons if (daemon := index.queue.daemon(row.uid)) is not None]
    return OrganizationLine(
        name=name,
        stuck=found.stuck,
        pending=found.phases.get(Phase.PENDING, 0),
        running=found.phases.get(Phase.RUNNING, 0) + found.phases.get(Phase.CANCELING, 0),
        failed=found.phases.get(Phase.FAILED, 0),
        online=sum(index.queue.is_online(each) for each in records) if name in visible[DAEMONS] else None,
        daemons=len(records),
        workspace_count=index.workspaces.count(name) if name in visible[WORKSPACES] else None,
    )


async def _visible(caller: Caller) -> Visible:
    # An organization whose jobs are hidden has no line: nothing else is asked about it.
    shown = await caller.visible(JOBS)
    if not shown:
        return dict.fromkeys((JOBS, DAEMONS, WORKSPACES), shown)
    others = {plural: await caller.visible(plural, shown) for plural in (DAEMONS, WORKSPACES)}
    return {JOBS: shown, **others}


def _rendering(index: ClusterIndex, visible: Visible, user: str) -> Rendering:
    lines = [organization_line(index, name, visible) for name in sorted(visible[JOBS])]
    stale = stale_since(index)
    return Rendering(
        {line.name: Row(render("organization_row.html", org=line)) for line in lines},
        lambda rows: render("organizations_region.html", rows=rows, stale=stale, user=user),
    )
