"""Follow a log over a WebSocket: one JSON object a message, closed with 1000 at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

from fastapi import WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.log_stream import log_to_the_end
from provisioner_operator.web.coder.ready import require_index
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import caller_of
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.logs.rights import LogRights
from provisioner_operator.web.problems import Problem, problem_of
from provisioner_operator.web.streams import READER_SECONDS, StreamEndedError

Located = Callable[[Caller], Awaitable[JobRow | None]]
"""Finds the job whose log a user asks for; None if it has none any more. Raises Problem."""

_NORMAL, _POLICY, _INTERNAL = 1000, 1008, 1011
"""Close codes of RFC 6455."""
_LONGEST_REASON = 100
"""Characters of a reason, which has at most 123 bytes."""


async def follow(socket: WebSocket, context: WebContext, locate: Located, after: int) -> None:
    """Serve one WebSocket, or refuse it with the answer of a plain request."""
    try:
        caller = await caller_of(socket)
        await require_index(context, caller)
        row = await locate(caller)
        with context.streams.place(caller):
            await socket.accept()
            await _serve(socket, context, caller, row, after)
    except Problem as problem:
        await _refuse(socket, problem)
    except KubeError as error:
        await _refuse(socket, problem_of(error))


async def _serve(socket: WebSocket, context: WebContext, caller: Caller, row: JobRow | None, after: int) -> None:
    sending = asyncio.ensure_future(_send(socket, context, caller, row, after))
    gone = asyncio.ensure_future(_disconnected(socket))
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)


async def _send(socket: WebSocket, context: WebContext, caller: Caller, row: JobRow | None, after: int) -> None:
    code, reason = _NORMAL, ""
    try:
        if row is not None:
            await _send_lines(socket, context, caller, row, after)
    except StreamEndedError as error:
        code, reason = _POLICY, str(error)
    except KubeError as error:
        code, reason = _INTERNAL, str(error)[:_LONGEST_REASON]
    except (WebSocketDisconnect, TimeoutError):
        return
    with suppress(TimeoutError):
        await _in_time(socket.close(code, reason))


async def _send_lines(socket: WebSocket, context: WebContext, caller: Caller, row: JobRow, after: int) -> None:
    rights = LogRights(caller, context.index, row.job)
    await rights.lasting()
    lines = log_to_the_end(row, context.index, caller, after)
    async with aclosing(context.streams.guarded(caller, rights.lasting, lines)) as guarded:
        async for line in guarded:
            await _in_time(socket.send_text(line.model_dump_json()))


async def _in_time(sending: Awaitable[None]) -> None:
    """Send to a reader. Raises TimeoutError if it takes nothing: it would keep its place, and the log's connection."""
    async with asyncio.timeout(READER_SECONDS):
        await sending


async def _disconnected(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()


async def _refuse(socket: WebSocket, problem: Problem) -> None:
    await socket.send_denial_response(JSONResponse(problem.coder_body(), problem.status, problem.headers))
