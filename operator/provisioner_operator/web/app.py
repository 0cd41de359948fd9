"""The web application: routes, failures and the guard, put together. Made by `server`, and by tests."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from provisioner_operator import __version__
from provisioner_operator.web import login, probes, problems
from provisioner_operator.web.access.guard import Guard
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import SERVER_STATE
from provisioner_operator.web.page.problem_pages import render_problem

_ROUTERS = ("coder", "api", "page")
MOST_BODY_BYTES = 1024 * 1024
"""Bytes of the longest body of a request: more than any form or call needs."""


def make_app(context: WebContext) -> ASGIApp:
    """Build the application behind its guard."""
    settings = context.settings
    return Guard(
        UnguardedApp(context),
        allowed_hosts=settings.allowed_hosts,
        requests=RateLimit(settings.requests_per_minute),
        logins=RateLimit(settings.logins_per_minute),
        clock=lambda: context.clock().monotonic,
        read_only=settings.read_only,
        session=context.session,
        trusted_proxies=settings.trusted_proxies,
    )


class UnguardedApp:
    """The routes, with the state of one server."""

    def __init__(self, context: WebContext) -> None:
        self.state = State({"context": context})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, one WebSocket, or the events of the server's own life."""
        scope[SERVER_STATE] = self.state
        await routes()(scope, receive, send)


@cache
def routes() -> FastAPI:
    """Build the routes, once in a process: FastAPI prepares them at the first request, which costs more than many answers."""
    # Its documentation pages load scripts of others.
    app = FastAPI(
        title="Provisioner jobs",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BODY_BYTES,
    )
    problems.install(app, render_problem)
    app.include_router(probes.router)
    app.include_router(login.router)
    for name in _ROUTERS:
        module = f"provisioner_operator.web.{name}.router"
        if find_spec(f"provisioner_operator.web.{name}") and find_spec(module):
            app.include_router(import_module(module).router)
    return app
