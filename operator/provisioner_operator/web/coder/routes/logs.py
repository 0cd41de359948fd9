"""Routes of logs: whole ones as JSON or text, and followed ones by WebSocket. Read with the user's own token."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket
from starlette.responses import PlainTextResponse, Response

from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert.logs import first_needed, provisioner_logs, text_of
from provisioner_operator.web.coder.convert.orphans import orphaned_at
from provisioner_operator.web.coder.locate import job_of, version_of, workspace_of
from provisioner_operator.web.coder.log_socket import follow
from provisioner_operator.web.coder.models.jobs import ProvisionerJobLog
from provisioner_operator.web.coder.parameters import LogParameters
from provisioner_operator.web.coder.routes.builds import job_of_build
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.logs.log import read_log
from provisioner_operator.web.problems import Problem

router = APIRouter(tags=["Logs"])
socket_router = APIRouter()
"""WebSockets: they check the user and the state of the index themselves, since a refusal is an answer of its own kind."""

Selection = Annotated[LogParameters, Query()]


@router.get("/workspacebuilds/{build}/logs", response_model=list[ProvisionerJobLog])
async def list_build_logs(build: UUID, selection: Selection, context: Context, caller: CallerOf) -> Response:
    """Return the log of a build; with `follow`, open a WebSocket, each of whose messages is one line."""
    return await _whole(await _of_build(build, context.index, caller), selection, context, caller)


@router.get("/templateversions/{version}/logs", response_model=list[ProvisionerJobLog])
async def list_version_logs(version: UUID, selection: Selection, context: Context, caller: CallerOf) -> Response:
    """Return the log of the import of a template's version."""
    return await _whole(await _of_version(version, context.index, caller), selection, context, caller)


@router.get("/templateversions/{version}/dry-run/{job}/logs", response_model=list[ProvisionerJobLog])
async def list_dry_run_logs(
    version: UUID, job: UUID, selection: Selection, context: Context, caller: CallerOf
) -> Response:
    """Return the log of a dry run."""
    del version
    return await _whole(await job_of(job, context.index, caller), selection, context, caller)


@socket_router.websocket("/workspacebuilds/{build}/logs")
async def follow_build_logs(socket: WebSocket, build: UUID, context: Context, after: int = 0) -> None:
    """Send each line of a build's log as it comes, and close with 1000 after its end."""
    await follow(socket, context, lambda caller: _of_build(build, context.index, caller), after)


@socket_router.websocket("/templateversions/{version}/logs")
async def follow_version_logs(socket: WebSocket, version: UUID, context: Context, after: int = 0) -> None:
    """Send each line of the log of a version's import as it comes."""
    await follow(socket, context, lambda caller: _of_version(version, context.index, caller), after)


@socket_router.websocket("/templateversions/{version}/dry-run/{job}/logs")
async def follow_dry_run_logs(socket: WebSocket, version: UUID, job: UUID, context: Context, after: int = 0) -> None:
    """Send each line of a dry run's log as it comes."""
    del version
    await follow(socket, context, lambda caller: job_of(job, context.index, caller), after)


async def _of_build(build: UUID, index: ClusterIndex, caller: Caller) -> JobRow | None:
    """Return the job of a build; None if the job is gone or still to be created."""
    row = await job_of_build(build, index, caller)
    if row is None and orphaned_at(build) is None:
        await workspace_of(build, index, caller)
    return row


async def _of_version(version: UUID, index: ClusterIndex, caller: Caller) -> JobRow | None:
    if index.jobs.get(str(version)) is not None:
        return await job_of(version, index, caller)
    found = await version_of(version, index, caller)
    row = index.jobs.named(found.template.namespace, found.version.import_job)
    return None if row is None else await job_of(UUID(row.job.uid), index, caller)


async def _whole(row: JobRow | None, selection: LogParameters, context: WebContext, caller: Caller) -> Response:
    if selection.follow is not None:
        message = "Following a log takes a WebSocket." if selection.format == "json" else "Text cannot be followed."
        raise Problem(400, message, validations=[("follow", "ask for it by a WebSocket, and for JSON")])
    async with context.log_reads.place(caller.user.name):
        lines = () if row is None else (await read_log(caller.client, row.job)).lines
        needed = [line for line in lines if line.number > first_needed(selection.after)]
        logs = provisioner_logs(needed, selection.after)
        if selection.format == "text":
            return PlainTextResponse("".join(f"{text_of(each)}\n" for each in logs))
        return json_of(list[ProvisionerJobLog], logs)
