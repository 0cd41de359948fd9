"""The list of provisioner daemons with its live stream, and the forms that cordon and uncordon them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import daemons as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import frame_of
from provisioner_operator.web.page.forms import Action, Form, action_of, form_page, redirect, refusal_of, refused
from provisioner_operator.web.page.live_views import View
from provisioner_operator.web.page.name_pages import START, start_of
from provisioner_operator.web.page.provisioners.find import find_daemon
from provisioner_operator.web.page.provisioners.listing import ATTENTION, OFFLINE, DaemonView, rendered
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import foresee, form_of, require_name, require_ready, require_visible

router = APIRouter()


@router.get("/organizations/{org}/provisioners")
async def list_provisioners(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the daemons of an organization, or of all."""
    require_ready(context)
    foresee(caller, org, lists=(DAEMONS, JOBS), changes={"patch": DAEMONS})
    namespaces = await require_visible(caller, DAEMONS, org)
    given = request.query_params
    view = replace(
        await _view(caller, org, namespaces),
        include_offline=given.get(OFFLINE) != "no",
        only_troubled=given.get(ATTENTION) == "yes",
        start=start_of(given.get(START)),
    )
    index = context.index
    if live.wants_stream(request):

        async def present() -> live.Rights:
            return (await _view(caller, org, namespaces)).rights

        found = View(
            key=("provisioners", view),
            make=lambda: rendered(index, view, ticking=True),
            permitted=live.lasting(lambda: live.permitted_to(caller, DAEMONS, namespaces), view.rights, present),
        )
        return live.stream(request, context, caller, found)
    notice = given.get("notice")
    frame = await frame_of(context, caller, "Provisioners", org=org, tab="provisioners", live=True, notice=notice)
    region = rendered(index, view, ticking=False).full()
    return HTMLResponse(render("provisioners/list.html", chrome=frame, view=view, region=region))


async def _view(caller: Caller, org: str, namespaces: frozenset[str]) -> DaemonView:
    return DaemonView(
        org=org,
        namespaces=namespaces,
        job_namespaces=await caller.visible(JOBS, namespaces),
        changeable=await caller.allowed_in("patch", DAEMONS, namespaces),
    )


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
