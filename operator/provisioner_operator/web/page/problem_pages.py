"""Failures as pages for people: who they are, what is missing, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, POOLS, QUEUES, TEMPLATES, WORKSPACES
from provisioner_operator.web.dependencies import context_of
from provisioner_operator.web.index.cluster_index import NAMESPACES
from provisioner_operator.web.page.chrome import Chrome
from provisioner_operator.web.page.live import wants_stream
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.requests import LoadingProblem, MissingRightProblem
from provisioner_operator.web.problems import Problem
from provisioner_operator.web.request_record import record_of

_TITLES: Mapping[int, tuple[str, str]] = {
    HTTPStatus.FORBIDDEN: ("You may not see this", "ban"),
    HTTPStatus.NOT_FOUND: ("Not found", "search"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("The API server cannot be reached", "alert"),
    HTTPStatus.TOO_MANY_REQUESTS: ("Too many requests", "clock"),
}

_KINDS = {
    NAMESPACES: "Organizations",
    TEMPLATES: "Templates",
    POOLS: "Pools",
    QUEUES: "Queues",
    DAEMONS: "Provisioners",
    WORKSPACES: "Workspaces",
    JOBS: "Jobs",
}
"""Kinds of the index in the page's words, the small ones first. Their numbers would say more than a user may know."""


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A failure as its page shows it."""

    title: str
    message: str
    icon: str
    request_id: str
    again: str
    again_label: str = "Try again"
    detail: str = ""
    user: str = ""
    command: str = ""
    """Command that checks the missing right."""


async def render_problem(request: Request, problem: Problem) -> Response:
    """Render a failure; who is not signed in is sent to the login, and comes back afterwards."""
    if problem.status == HTTPStatus.UNAUTHORIZED and request.method == "GET" and not wants_stream(request):
        following = quote(_address(request), safe="")
        return RedirectResponse(f"/login?next={following}", HTTPStatus.SEE_OTHER)
    if isinstance(problem, LoadingProblem):
        return _loading(request)
    title, icon = _TITLES.get(problem.status, ("Something went wrong", "alert"))
    is_missing = problem.status == HTTPStatus.NOT_FOUND
    is_closed = isinstance(problem, MissingRightProblem)
    is_over = is_missing or is_closed or request.method != "GET"
    detail = "; ".join([problem.detail, *(f"{field}: {reason}" for field, reason in problem.validations)]).strip("; ")
    view = ProblemView(
        title=title,
        message=problem.message,
        icon=icon,
        request_id=record_of(request.scope).id,
        again="/" if is_over else _address(request),
        again_label="Back to the organizations" if is_over else "Try again",
        detail="" if is_missing else detail,
        user=problem.user if isinstance(problem, MissingRightProblem) else "",
        command=problem.command if isinstance(problem, MissingRightProblem) else "",
    )
    return _page(request, view, problem.status)


def _address(request: Request) -> str:
    """Return the path with its query."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"


def _loading(request: Request) -> Response:
    chrome = Chrome("Loading", context_of(request).index.now())
    unlisted = context_of(request).index.unlisted
    kinds = [(words, plural not in unlisted) for plural, words in _KINDS.items()]
    page = render("loading.html", chrome=chrome, again=_address(request), kinds=kinds)
    return HTMLResponse(page, HTTPStatus.SERVICE_UNAVAILABLE)


def _page(request: Request, view: ProblemView, status: int) -> Response:
    context, user = context_of(request), record_of(request.scope).user or ""
    chrome = Chrome(view.title, context.index.now(), user=user, is_local=context.session is not None)
    return HTMLResponse(render("problem.html", chrome=chrome, problem=view), status)
