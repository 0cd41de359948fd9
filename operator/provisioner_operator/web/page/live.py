"""Live pages: one stream of server-sent events a page, for as long as its user may read it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.kube.errors import ForbiddenError, KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import server_state
from provisioner_operator.web.event_stream import EVENT_STREAM, PING, PING_SECONDS, RETRY, event_bytes
from provisioner_operator.web.page.live_views import LiveViews, View
from provisioner_operator.web.streams import LiveResponse, Permitted, StreamEnd, StreamEndedError


def wants_stream(request: Request) -> bool:
    """Return whether a request for a page asks for its live stream."""
    return EVENT_STREAM in request.headers.get("accept", "")


def live_views_of(request: Request, context: WebContext) -> LiveViews:
    """Return the live views of this server."""
    state = server_state(request)
    if not hasattr(state, "live_views"):
        state.live_views = LiveViews(context.index)
    found: LiveViews = state.live_views
    return found


def stream(request: Request, context: WebContext, caller: Caller, view: View) -> Response:
    """Answer with the live stream of a view."""
    seen = request.headers.get("last-event-id", "")
    source = _events(live_views_of(request, context), view, seen)
    return respond(context, caller, view.permitted, source)


def respond(context: WebContext, caller: Caller, permitted: Permitted, source: AsyncIterator[bytes]) -> Response:
    """Answer with a stream of events, for as long as the user may read them."""

    async def body() -> AsyncIterator[bytes]:
        try:
            async with aclosing(context.streams.guarded(caller, permitted, source)) as items:
                async for item in items:
                    yield item
        except StreamEndedError as error:
            yield event_bytes("end", str(error.end))
        except ForbiddenError as error:
            # A browser that is not told would connect again and again.
            is_signed_out = error.status == HTTPStatus.UNAUTHORIZED
            yield event_bytes("end", str(StreamEnd.SIGNED_OUT if is_signed_out else StreamEnd.FORBIDDEN))
        except KubeError:
            return  # it may pass: the browser connects again

    return LiveResponse(body(), context.streams.place(caller))


async def _events(views: LiveViews, view: View, seen: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    sent = loop.time()
    yield RETRY
    with views.reading(view) as clock:
        async for at in clock.ticks():
            seen, event = await views.event(view, at, seen)
            if event is not None:
                sent = loop.time()
                yield event
            elif loop.time() - sent >= PING_SECONDS:
                sent = loop.time()
                yield PING


Rights = tuple[frozenset[str], ...]
"""Sets of namespaces in which the user may do what a rendering depends on, beside reading its objects."""


def lasting(permitted: Permitted, held: Rights, rights: Callable[[], Awaitable[Rights]]) -> Permitted:
    """Return a check that also ends the stream, with the word to connect again, once a right of the rendering is gone."""

    async def still_permitted() -> bool:
        if not await permitted():
            return False
        if not all(former <= present for former, present in zip(held, await rights(), strict=True)):
            raise StreamEndedError(StreamEnd.RELOAD)
        return True

    return still_permitted


async def permitted_to(caller: Caller, resource: str, namespaces: frozenset[str]) -> bool:
    """Return whether the user may still list this kind in all these namespaces. Raises KubeError.

    Raises StreamEndedError, with the word to connect again, if some of them are gone.
    """
    present = namespaces.intersection(caller.namespaces())
    if not present or await caller.visible(resource, namespaces) != present:
        return False
    if present != namespaces:
        raise StreamEndedError(StreamEnd.RELOAD)
    return True
