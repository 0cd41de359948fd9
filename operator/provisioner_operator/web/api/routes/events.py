"""Route of the stream of changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.api.changes import KINDS, Feed
from provisioner_operator.web.coder.answers import process_of
from provisioner_operator.web.coder.locate import namespace_of, not_found
from provisioner_operator.web.coder.parameters import split
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.event_stream import EVENT_STREAM, event_bytes
from provisioner_operator.web.streams import LiveResponse, StreamEndedError

router = APIRouter(tags=["Events"])

KindWord = Literal["provisionerjobs", "provisionerdaemons", "workspaces", "workspacetemplates"]


class EventParameters(BaseModel):
    """Parameters of the stream."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    organization: str = ""
    """Name or id of the only organization of interest."""
    kind: Annotated[list[KindWord], BeforeValidator(split)] = []
    """Kinds of interest, separated by commas; by default all."""


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
            "description": "Events `ready`, `change` (whose data is a ChangeEvent), `reset` (read the lists anew) and "
            "`end` (with the reason: signed-out, forbidden, shutting-down, unavailable).",
        }
    },
)
async def stream_changes(
    request: Request,
    parameters: Annotated[EventParameters, Query()],
    context: Context,
    caller: CallerOf,
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> Response:
    """Stream the changes that the user may see, as server-sent events; `Last-Event-ID` resumes."""
    index = context.index
    within = frozenset({namespace_of(parameters.organization, index)}) if parameters.organization else None
    feed = Feed(index, caller, process_of(request), frozenset(parameters.kind or KINDS), within)
    if not await feed.permitted():
        raise not_found()
    return LiveResponse(_guarded(context, caller, feed, last_event_id), context.streams.place(caller))


async def _guarded(context: WebContext, caller: Caller, feed: Feed, last_event_id: str) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(context.streams.guarded(caller, feed.permitted, feed.events(last_event_id))) as events:
            async for each in events:
                yield each
    except StreamEndedError as error:
        yield event_bytes("end", f'"{error.end}"')
    except KubeError:
        yield event_bytes("end", '"unavailable"')
