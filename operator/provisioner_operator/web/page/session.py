"""Pages about the user: the login form, the way to sign in from the command line, identity and rights."""

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.hosts import root_address
from provisioner_operator.web.access.local_paths import local_path
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.login import LoginProblem
from provisioner_operator.web.page.chrome import Chrome, frame_of
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.times import Moment, moment

router = APIRouter()

_PROBLEMS = {
    LoginProblem.MALFORMED: "This cannot be a token: paste all of it, and nothing else.",
    LoginProblem.REFUSED: "The API server does not accept this token, or it has expired.",
    LoginProblem.UNREACHABLE: "The API server cannot be reached, so the token was not checked. Try again.",
}
_RIGHTS = (
    ("See jobs", "list", JOBS),
    ("Submit jobs", "create", JOBS),
    ("Cancel jobs", "cancel", JOBS),
    ("Change provisioners", "patch", DAEMONS),
    ("Change workspaces", "patch", WORKSPACES),
)


@dataclass(frozen=True, slots=True)
class Me:
    """The user as the API server knows it."""

    name: str
    groups: Sequence[str]
    id: str
    expires: Moment | None
    columns: Sequence[str]
    rights: Sequence[tuple[str, Sequence[bool]]]
    """Rights in each visible organization, in the order of `columns`."""


@router.get("/login")
async def login_form(request: Request, context: Context) -> Response:
    """Show the form for a token."""
    following = local_path(request.query_params.get("next"))
    problem = request.query_params.get("problem", "")
    error = _PROBLEMS[LoginProblem(problem)] if problem in set(LoginProblem) else ""
    chrome = Chrome("Sign in", context.index.now())
    return HTMLResponse(render("session/login.html", chrome=chrome, next=following, error=error))


@router.get("/cli-auth")
async def cli_auth(request: Request, context: Context) -> Response:
    """Show how to sign in from the command line: Coder's client sends people here."""
    chrome = Chrome("Sign in from the command line", context.index.now())
    command = shlex.join(["coder", "login", root_address(request.headers.get("host", ""))])
    return HTMLResponse(render("session/cli_auth.html", chrome=chrome, command_line=command))


@router.get("/me")
async def me(context: Context, caller: CallerOf) -> Response:
    """Show who the user is, and what this user may do."""
    frame = await frame_of(context, caller, "You")
    found = Me(
        name=caller.user.name,
        groups=caller.user.groups,
        id=str(caller.user.id),
        expires=moment(caller.expires, context.index.now()),
        columns=[label for label, _, _ in _RIGHTS],
        rights=list(zip(frame.orgs, await asyncio.gather(*(_rights(caller, org) for org in frame.orgs)), strict=True)),
    )
    return HTMLResponse(render("session/me.html", chrome=frame, me=found))


async def _rights(caller: Caller, org: str) -> list[bool]:
    return await asyncio.gather(*(caller.may(verb, resource, org) for _, verb, resource in _RIGHTS))
