"""Pages that show jobs: the list and one job, each with its live stream."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, TEMPLATES
from provisioner_operator.kube import paths as kube_paths
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.page import live
from provisioner_operator.web.page.chrome import frame_of
from provisioner_operator.web.page.jobs.filters import JobFilter, parse_filter
from provisioner_operator.web.page.jobs.job_page import render_job, render_row
from provisioner_operator.web.page.jobs.job_stream import job_events
from provisioner_operator.web.page.jobs.listing import rendered
from provisioner_operator.web.page.jobs.rights import job_rights
from provisioner_operator.web.page.jobs.table import CancelRights
from provisioner_operator.web.page.live_views import View
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import foresee, no_such_job, require_name, require_ready, require_visible

router = APIRouter()

_MOST_SUGGESTIONS = 200
"""Values offered for a filter; more would be slower to read than to type."""


@router.get("/organizations/{org}/provisioner-jobs")
async def list_jobs(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the jobs of an organization, or of all."""
    require_ready(context)
    if not live.wants_stream(request):
        foresee(caller, org, lists=(JOBS, TEMPLATES, DAEMONS), changes={"patch": JOBS})
    namespaces = await require_visible(caller, JOBS, org)
    rights = await cancel_rights(caller, namespaces)
    current = parse_filter(request.query_params.multi_items())
    if live.wants_stream(request):
        return live.stream(request, context, caller, _view(context, caller, org, current, namespaces, rights))
    around, rendering = rendered(context.index, org, current, namespaces, rights, ticking=False)
    frame = await frame_of(
        context, caller, "Provisioner jobs", org=org, tab="jobs", live=True, notice=request.query_params.get("notice")
    )
    page = render(
        "jobs/list.html",
        chrome=frame,
        list=around,
        region=rendering.of(caller.user.name).full(),
        choices=await _choices(context, caller, namespaces),
    )
    return HTMLResponse(page)


@router.get("/organizations/{org}/provisioner-jobs/{name}")
async def show_job(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show one job, read with the user's own token; while the API server is away, what the index has of it."""
    require_ready(context)
    path = kube_paths.job(require_name(org), require_name(name))
    rights = await job_rights(caller, org)
    daemons = await caller.visible(DAEMONS, {org})
    sees_daemons = bool(daemons)
    if live.wants_stream(request):
        source = job_events(context, caller.client, org, name, rights, sees_daemons=sees_daemons)

        async def present() -> live.Rights:
            return *(await job_rights(caller, org)).lasting, await caller.visible(DAEMONS, {org})

        held = (*rights.lasting, daemons)
        permitted = live.lasting(lambda: caller.may("get", JOBS, org, name), held, present)
        return live.respond(context, caller, permitted, source)
    try:
        body = await caller.client.get(path)
        region = render_job(context.index, body, rights, sees_daemons=sees_daemons)
    except NotFoundError:
        raise no_such_job(org, name) from None
    except UnreachableError:
        row = context.index.jobs.named(org, name)
        if row is None:
            raise
        await require_visible(caller, JOBS, org)
        region = render_row(context.index, row)
    frame = await frame_of(
        context, caller, name, org=org, tab="jobs", live=True, notice=request.query_params.get("notice")
    )
    return HTMLResponse(render("jobs/detail.html", chrome=frame, region=region))


async def cancel_rights(caller: Caller, namespaces: frozenset[str]) -> CancelRights:
    """Ask in which of the namespaces the user may cancel jobs, beside the user's own.

    Whoever may not patch jobs may cancel none: viewers cost one question for each namespace, not two.
    """
    patchable = await caller.allowed_in("patch", JOBS, namespaces)
    return CancelRights("", await caller.allowed_in("cancel", JOBS, patchable), patchable)


def _view(
    context: WebContext,
    caller: Caller,
    org: str,
    current: JobFilter,
    namespaces: frozenset[str],
    rights: CancelRights,
) -> View:
    async def present() -> live.Rights:
        return _held(await cancel_rights(caller, namespaces))

    held = _held(rights)
    return View(
        key=("jobs", org, current, namespaces, held),
        make=lambda: rendered(context.index, org, current, namespaces, rights, ticking=True)[1],
        permitted=live.lasting(lambda: live.permitted_to(caller, JOBS, namespaces), held, present),
        user=caller.user.name,
    )


def _held(rights: CancelRights) -> live.Rights:
    return frozenset(rights.organizations), frozenset(rights.patchable)


async def _choices(context: WebContext, caller: Caller, namespaces: frozenset[str]) -> dict[str, list[str]]:
    """Return values to choose from; of other kinds only those that the user may list."""
    index = context.index
    templates = index.templates.of(await caller.visible(TEMPLATES, namespaces))
    daemons = index.daemons.of(await caller.visible(DAEMONS, namespaces))
    found = {
        "templates": sorted({row.name for row in templates}),
        "daemons": sorted({row.name for row in daemons}),
        "initiators": sorted(index.jobs.initiators(namespaces)),
    }
    return {key: names[:_MOST_SUGGESTIONS] for key, names in found.items()}
