"""Dependencies of routes: the context of the server, and the user who sends the request.

Routes take them as `context: Context` and `caller: CallerOf`; both serve HTTP requests and WebSockets.
"""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext


def context_of(connection: HTTPConnection) -> WebContext:
    """Return the context of the server that received a request."""
    return cast("WebContext", connection.app.state.context)


async def caller_of(connection: HTTPConnection) -> Caller:
    """Return the user who sends a request. Raises Problem: 401 without a valid credential, 400 if it is malformed."""
    return await context_of(connection).access.caller(connection)


Context = Annotated[WebContext, Depends(context_of)]
"""The server's context, as a parameter of a route."""
CallerOf = Annotated[Caller, Depends(caller_of)]
"""The user who sends the request, as a parameter of a route; a request without one is refused."""
