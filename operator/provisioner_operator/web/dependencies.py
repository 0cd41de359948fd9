"""Dependencies of routes: the context of the server, and the user who sends the request.

Routes take them as `context: Context` and `caller: CallerOf`; both serve HTTP requests and WebSockets.
"""

from typing import Annotated, cast

from fastapi import Depends
from starlette.datastructures import State
from starlette.requests import HTTPConnection

from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext

SERVER_STATE = "provisioner.server"
"""Key of a server's state in the ASGI scope of its requests. The routes are those of all servers of a process."""


def server_state(connection: HTTPConnection) -> State:
    """Return what the server that received a request keeps, such as its context."""
    return cast("State", connection.scope[SERVER_STATE])


def context_of(connection: HTTPConnection) -> WebContext:
    """Return the context of the server that received a request."""
    return cast("WebContext", server_state(connection).context)


async def caller_of(connection: HTTPConnection) -> Caller:
    """Return the user who sends a request. Raises Problem: 401 without a valid credential, 400 if it is malformed."""
    return await context_of(connection).access.caller(connection)


async def _context(connection: HTTPConnection) -> WebContext:
    # Not `context_of` itself: FastAPI calls a plain function in a thread, for which a busy server lets each request wait.
    return context_of(connection)


Context = Annotated[WebContext, Depends(_context)]
"""The server's context, as a parameter of a route."""
CallerOf = Annotated[Caller, Depends(caller_of)]
"""The user who sends the request, as a parameter of a route; a request without one is refused."""
