"""Login of people: a pasted token becomes a cookie. The form itself is a page (`GET /login`).

    POST /login    form fields `token` and `next`; then 303 to `next`, or back to `/login?problem=WORD&next=…`
    POST /logout   303 to `/login`
    GET /open      of a local server: its one-time code becomes a cookie; then 303 to `/`

The words are those of `LoginProblem`. Nothing is kept on the server, so any replica serves every user.
"""

from enum import StrEnum
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.authentication import cookie_jar
from provisioner_operator.web.access.guard import LOGIN, OPEN
from provisioner_operator.web.access.local_paths import local_path
from provisioner_operator.web.access.tokens import MalformedTokenError, parse_token
from provisioner_operator.web.dependencies import Context
from provisioner_operator.web.problems import Problem

router = APIRouter(include_in_schema=False)

_MOST_FIELDS = 10


class LoginProblem(StrEnum):
    """Reasons for which a login fails, as the login page gets them."""

    MALFORMED = "malformed"
    """The pasted text cannot be a token."""
    REFUSED = "refused"
    """The API server does not accept the token, or it has expired."""
    UNREACHABLE = "unreachable"
    """The API server did not answer."""


@router.post(LOGIN)
async def log_in(request: Request, context: Context) -> Response:
    """Check a token, and keep it in the browser."""
    text = (await request.body()).decode("utf-8", "replace")
    try:
        form = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return _again(LoginProblem.MALFORMED, "/")
    following = local_path(form.get("next", ["/"])[0])
    try:
        # People paste a line with its end.
        token = parse_token(form.get("token", [""])[0].strip())
        await context.access.caller_with(token, request)
    except MalformedTokenError:
        return _again(LoginProblem.MALFORMED, following)
    except Problem:
        return _again(LoginProblem.REFUSED, following)
    except KubeError:
        return _again(LoginProblem.UNREACHABLE, following)
    response = RedirectResponse(following, HTTPStatus.SEE_OTHER)
    for header in cookie_jar(request.headers).write(token.value):
        response.headers.append("Set-Cookie", header)
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Make the browser forget the token. The token itself stays valid: only the cluster can revoke it."""
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    for header in cookie_jar(request.headers).discard():
        response.headers.append("Set-Cookie", header)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get(OPEN)
async def open_session(request: Request, context: Context, code: str = "") -> Response:
    """Begin the one session of a local server. Raises Problem (404)."""
    session = context.session
    if session is None:
        raise Problem(HTTPStatus.NOT_FOUND, "Route not found.")
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    if session.redeem(code):
        for header in cookie_jar(request.headers).write(session.secret):
            response.headers.append("Set-Cookie", header)
    elif not session.admits(request.headers):
        message = "This address was used already, or is incomplete: start the server again for a new one.\n"
        return PlainTextResponse(message, HTTPStatus.UNAUTHORIZED)
    return response


def _again(problem: LoginProblem, following: str) -> Response:
    query = urlencode({"problem": problem.value, "next": following})
    return RedirectResponse(f"/login?{query}", HTTPStatus.SEE_OTHER)
