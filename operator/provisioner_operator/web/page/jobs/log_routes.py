"""The log of a job: its last lines, older ones on demand, one stage or all, live or archived, and as a file."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from provisioner_operator.kube import paths as kube_paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from provisioner_operator.kube.object_states import meta_of
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions.target import ObjectRef, read_target
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.event_stream import RETRY, event_bytes
from provisioner_operator.web.logs.follow import follow_log
from provisioner_operator.web.logs.job_changes import job_changes
from provisioner_operator.web.logs.log import read_log
from provisioner_operator.web.logs.rights import LogRights
from provisioner_operator.web.page import live
from provisioner_operator.web.page.chrome import frame_of
from provisioner_operator.web.page.jobs.log_view import FIRST_LINES, MOST_LINES, as_text, log_view, shown
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import no_such_job, require_name, require_ready

router = APIRouter()

_GONE = "gone"
"""End of a stream whose job no longer exists."""


@router.get("/organizations/{org}/provisioner-jobs/{name}/logs")
async def show_log(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Show the log, read with the user's own token; as a stream, each further line."""
    require_ready(context)
    job = await _target(caller, require_name(org), require_name(name))
    # The log of another job of this name is none that continues the one on the page.
    if request.query_params.get("uid", job.uid) != job.uid:
        raise no_such_job(org, name)
    stage = request.query_params.get("stage", "")
    if live.wants_stream(request):
        # A reader that connects again has what came before.
        after = _number(request.headers.get("last-event-id") or request.query_params.get("after"), 0)
        source = _lines(context, caller, job, stage, after)
        rights = LogRights(caller, context.index, job)
        await rights.lasting()
        return live.respond(context, caller, rights.lasting, source)
    async with context.log_reads.place(caller.user.name):
        log = await read_log(caller.client, job)
        if request.query_params.get("format") == "text":
            disposition = f'attachment; filename="{name}.log"'
            return PlainTextResponse(as_text(log.lines, stage), headers={"Content-Disposition": disposition})
        most = min(max(_number(request.query_params.get("lines"), FIRST_LINES), FIRST_LINES), MOST_LINES)
        frame = await frame_of(context, caller, f"Log of {name}", org=org, tab="jobs", live=True)
        return HTMLResponse(render("jobs/log.html", chrome=frame, log=log_view(log, job, stage, most), job=name))


async def _lines(context: WebContext, caller: Caller, job: ObjectRef, stage: str, after: int) -> AsyncIterator[bytes]:
    yield RETRY
    async for line in follow_log(caller.client, job, job_changes(context.index), after):
        if not stage or line.stage in ("", stage):
            yield event_bytes("lines", render("jobs/log_line.html", line=shown(line)), str(line.number))
    # It also ends with its job.
    yield event_bytes("end", _GONE if await _is_gone(caller.client, job) else "Ended")


async def _target(caller: Caller, org: str, name: str) -> ObjectRef:
    try:
        return ObjectRef(org, name, meta_of(await caller.client.get(kube_paths.job(org, name))).uid)
    except NotFoundError:
        raise no_such_job(org, name) from None


async def _is_gone(client: KubeClient, job: ObjectRef) -> bool:
    try:
        await read_target(client, kube_paths.job(job.namespace, job.name), job)
    except NotFoundError:
        return True
    except UnreachableError:
        pass  # Nobody knows: the log has ended in any case.
    return False


def _number(text: str | None, default: int) -> int:
    return (
        int(text) if text and text.isascii() and text.isdecimal() and len(text) < len(str(MOST_LINES)) * 2 else default
    )
