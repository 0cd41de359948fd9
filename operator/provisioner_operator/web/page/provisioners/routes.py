"""The list of provisioner daemons with its live stream, and the forms that cordon and uncordon them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.object_states import daemon_report
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import daemons as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.query import JobQuery
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import frame_of, stale_since
from provisioner_operator.web.page.forms import Action, Form, action_of, form_page, redirect, refusal_of, refused
from provisioner_operator.web.page.name_pages import START, page_from, pager, start_of
from provisioner_operator.web.page.provisioners.find import find_daemon
from provisioner_operator.web.page.provisioners.table import (
    DaemonFacts,
    DaemonLine,
    count_blocked,
    daemon_line,
    status_of,
)
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import allowed_in, form_of, require_name, require_ready, require_visible
from provisioner_operator.web.page.words import AWAY, counted

router = APIRouter()

_DENIED = "You lack the verb patch on provisionerdaemons. The ClusterRole provisioner-admin grants it."


@dataclass(frozen=True, slots=True)
class DaemonView:
    """The list that a user asks for."""

    org: str
    include_offline: bool
    namespaces: frozenset[str]
    job_namespaces: frozenset[str]
    """Those whose jobs the user may see: only these are named."""
    changeable: frozenset[str]
    """Those whose daemons the user may change."""
    start: str = ""
    """Place at which the page begins."""

    @property
    def rights(self) -> live.Rights:
        """The rights that it depends on, beside that to list daemons."""
        return self.job_namespaces, self.changeable


@router.get("/organizations/{org}/provisioners")
async def list_provisioners(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the daemons of an organization, or of all."""
    require_ready(context)
    namespaces = await require_visible(caller, DAEMONS, org)
    include_offline = request.query_params.get("offline") != "no"
    view = await _view(caller, org, namespaces, include_offline=include_offline)
    view = replace(view, start=start_of(request.query_params.get(START)))
    index = context.index
    if live.wants_stream(request):

        async def present() -> live.Rights:
            return (await _view(caller, org, namespaces, include_offline=view.include_offline)).rights

        found = live.View(
            key=("provisioners", view),
            make=lambda: _rendered(index, view, ticking=True),
            permitted=live.lasting(lambda: live.permitted_to(caller, DAEMONS, namespaces), view.rights, present),
        )
        return live.stream(request, context, caller, found)
    notice = request.query_params.get("notice")
    frame = await frame_of(context, caller, "Provisioners", org=org, tab="provisioners", live=True, notice=notice)
    region = _rendered(index, view, ticking=False).full()
    return HTMLResponse(render("provisioners/list.html", chrome=frame, view=view, region=region))


async def _view(caller: Caller, org: str, namespaces: frozenset[str], *, include_offline: bool) -> DaemonView:
    return DaemonView(
        org=org,
        include_offline=include_offline,
        namespaces=namespaces,
        job_namespaces=namespaces & await caller.visible(JOBS),
        changeable=await allowed_in(caller, "patch", DAEMONS, namespaces),
    )


def _rendered(index: ClusterIndex, view: DaemonView, *, ticking: bool) -> live.Rendering:
    stale = stale_since(index)
    live_queue = index.queue.live
    queues = (
        (demand, len(queue)) for demand, queue in live_queue.queues.items() if demand.namespace in view.job_namespaces
    )
    blocked = count_blocked((demand, number, live_queue.explain(demand)) for demand, number in queues)
    rows = [row for row in index.daemons.of(view.namespaces) if index.queue.daemon(row.uid) is not None]
    found = rows if view.include_offline else [row for row in rows if not _is_offline(index, row)]
    page = page_from(found, view.start)
    lines = [
        line
        for row in page.rows
        if (line := _line(index, row, view, blocked.get((row.namespace, row.name), 0), ticking=ticking)) is not None
    ]
    path, all_orgs = paths.provisioners(view.org), view.org == paths.ALL
    return live.Rendering(
        {line.key: render("provisioners/row.html", daemon=line, all_orgs=all_orgs) for line in lines},
        lambda rows: render(
            "provisioners/region.html",
            rows=rows,
            stale=stale,
            all_orgs=all_orgs,
            total=counted(len(found), "provisioner"),
            hidden=len(rows) - len(found),
            has_any=bool(rows),
            path=path,
            pager=pager(page, path, offline="" if view.include_offline else "no"),
            include_offline=view.include_offline,
        ),
    )


def _is_offline(index: ClusterIndex, row: ObjectRow) -> bool:
    daemon = index.queue.daemon(row.uid)
    return daemon is not None and status_of(daemon, online=index.queue.is_online(daemon), used=0).word == "Offline"


def _line(index: ClusterIndex, row: ObjectRow, view: DaemonView, blocked: int, *, ticking: bool) -> DaemonLine | None:
    daemon = index.queue.daemon(row.uid)
    if daemon is None:
        return None
    facts = DaemonFacts(index.queue.is_online(daemon), index.queue.used(daemon), blocked_by_tags=blocked)
    if row.namespace in view.job_namespaces:
        rows = (index.jobs.get(run.job_uid) for run in sorted(daemon.runs, key=lambda run: run.job_uid))
        ended = index.jobs.page(JobQuery(phases=TERMINAL, daemon=row.name), {row.namespace}, 1).rows
        facts = replace(
            facts,
            current=tuple(each.job for each in rows if each is not None),
            previous=ended[0].job if ended else None,
        )
    return daemon_line(
        daemon,
        daemon_report(row.body),
        facts,
        own_version=__version__,
        closed=_closed(index, row, view),
        now=None if ticking else index.now(),
    )


def _closed(index: ClusterIndex, row: ObjectRow, view: DaemonView) -> str:
    if stale_since(index) is not None:
        return AWAY
    return "" if row.namespace in view.changeable else _DENIED


ACTIONS = {
    "cordon": Action("Cordon provisioner", "It gets no further jobs. Its runs continue.", "Cordoned", "cordoned"),
    "uncordon": Action("Uncordon provisioner", "It gets jobs again.", "Uncordoned", "uncordoned"),
}
_CHANGES: Mapping[str, Callable[[KubeClient, ObjectRef], Awaitable[Outcome]]] = {
    "cordon": actions.cordon,
    "uncordon": actions.uncordon,
}


@router.get("/organizations/{org}/provisioners/{name}/{action}")
async def action_form(org: str, name: str, action: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a change."""
    found = action_of(ACTIONS, action)
    row = await find_daemon(context, caller, org, name)
    form = _form(found, org, name, action)
    return await form_page(context, caller, org, form, "provisioners/action.html", text=found.text, uid=row.uid)


@router.post("/organizations/{org}/provisioners/{name}/{action}")
async def act(org: str, name: str, action: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Change the daemon that the form showed."""
    found = action_of(ACTIONS, action)
    fields = dict(await form_of(request))
    daemon = ObjectRef(require_name(org), require_name(name), fields.get("uid", ""))
    form = _form(found, org, name, action)
    refusal = await refusal_of(_CHANGES[action](caller.client, daemon))
    if refusal is None:
        return redirect(form)
    return await form_page(
        context,
        caller,
        org,
        refused(form, refusal),
        "provisioners/action.html",
        status=refusal[0],
        text=found.text,
        uid=daemon.uid,
    )


def _form(action: Action, org: str, name: str, key: str) -> Form:
    return action.form(name, paths.provisioner_action(org, name, key), paths.provisioners(org), "Provisioners")
