"""The web application: routes, failures and the guard, put together. Made by `server`, and by tests."""

from importlib import import_module
from importlib.util import find_spec

from fastapi import FastAPI
from starlette.types import ASGIApp

from provisioner_operator import __version__
from provisioner_operator.web import login, probes, problems
from provisioner_operator.web.access.guard import Guard
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page.problem_pages import render_problem

_ROUTERS = ("coder", "api", "page")
MOST_BODY_BYTES = 1024 * 1024
"""Bytes of the longest body of a request: more than any form or call needs."""


def make_app(context: WebContext) -> ASGIApp:
    """Build the application behind its guard."""
    settings = context.settings
    return Guard(
        make_routes(context),
        allowed_hosts=settings.allowed_hosts,
        requests=RateLimit(settings.requests_per_minute),
        logins=RateLimit(settings.logins_per_minute),
        clock=lambda: context.clock().monotonic,
        read_only=settings.read_only,
        session=context.session,
        trusted_proxies=settings.trusted_proxies,
    )


def make_routes(context: WebContext) -> FastAPI:
    """Build the application without its guard."""
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
    app.state.context = context
    problems.install(app, render_problem)
    app.include_router(probes.router)
    app.include_router(login.router)
    for name in _ROUTERS:
        module = f"provisioner_operator.web.{name}.router"
        if find_spec(f"provisioner_operator.web.{name}") and find_spec(module):
            app.include_router(import_module(module).router)
    return app
