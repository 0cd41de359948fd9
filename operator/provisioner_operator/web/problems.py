"""Failures as HTTP answers: raised by routes as `Problem`, or as the errors of `kube.errors`, and rendered in one place.

The API answers in Coder's shape `{message, detail, validations}`; our own routes in RFC 9457's where a client accepts
`application/problem+json`. The page has its own rendering, which `app` passes to `install`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from provisioner_operator.kube.errors import (
    ApiError,
    BusyError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
    UnreachableError,
)
from provisioner_operator.web.request_record import record_of

PROBLEM_JSON = "application/problem+json"
_PYDANTIC = "Value error, "
"""Words that Pydantic puts before those of a validator."""
RETRY_SECONDS = 2
"""Pause that clients are asked for while the API server is away."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Refusal or failure of a request."""

    def __init__(
        self,
        status: int,
        message: str,
        detail: str = "",
        *,
        validations: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a failure.

        Args:
            status: The HTTP status.
            message: A sentence for people.
            detail: More about it, such as the API server's own words.
            validations: Fields or parameters that are wrong, each with a reason.
            headers: Headers of the answer.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.validations = tuple(validations)
        self.headers = dict(headers or {})

    def coder_body(self) -> dict[str, Any]:
        """Return Coder's shape of it."""
        body: dict[str, Any] = {"message": self.message}
        if self.detail:
            body["detail"] = self.detail
        if self.validations:
            body["validations"] = [{"field": field, "detail": detail} for field, detail in self.validations]
        return body

    def rfc_9457_body(self, request_id: str) -> dict[str, Any]:
        """Return the shape of RFC 9457."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.message,
            "status": self.status,
            "instance": f"urn:uuid:{request_id}",
        }
        if self.detail:
            body["detail"] = self.detail
        if self.validations:
            body["errors"] = [{"pointer": field, "detail": detail} for field, detail in self.validations]
        return body


PageRenderer = Callable[[Request, Problem], Awaitable[Response]]
"""Renders a problem as a page for people."""


def unauthenticated(detail: str = "") -> Problem:
    """Return the answer to a request without a valid credential, in Coder's words."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "You are signed out or your session has expired. Please sign in again to continue.",
        detail,
        headers={"WWW-Authenticate": "Bearer"},
    )


_STATUS_AND_MESSAGE: Sequence[tuple[type[KubeError], int, str]] = (
    (NotFoundError, 404, "Resource not found or you do not have access to this resource"),
    (PreconditionFailedError, 412, "The object has changed meanwhile: read it again."),
    (ConflictError, 409, "The object exists already, or has changed meanwhile."),
    (InvalidError, 400, "The API server rejects the request."),
    (GoneError, 410, "What was asked for is too old to be continued: start over."),
    (TooLargeError, 413, "The object would be too large."),
    (InternalError, 502, "The API server failed to carry out the request."),
)


_REFUSALS = range(400, 600)


def problem_of(error: KubeError) -> Problem:
    """Return the answer to a request that the API server did not carry out."""
    match error:
        case BusyError():
            seconds = error.retry_after if error.retry_after is not None else RETRY_SECONDS
            headers = {"Retry-After": f"{seconds:.0f}"}
            return Problem(503, "The API server is overloaded: try again.", str(error), headers=headers)
        case UnreachableError():
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return Problem(503, "The API server cannot be reached: try again.", str(error), headers=headers)
        case ForbiddenError() if error.status == HTTPStatus.UNAUTHORIZED:
            return unauthenticated(str(error))
        case ForbiddenError():
            return Problem(403, "You do not have permission to do this.", str(error))
    for kind, status, message in _STATUS_AND_MESSAGE:
        if isinstance(error, kind):
            return Problem(status, message, str(error))
    # A proxy in between may answer with anything, and a redirect is none of ours.
    status = error.status if isinstance(error, ApiError) and error.status in _REFUSALS else 502
    return Problem(status, "The API server refuses the request.", str(error))


def install(app: FastAPI, page: PageRenderer | None = None) -> None:
    """Let an application answer every failure; `page` renders those of paths outside /api/."""

    async def answer(request: Request, problem: Problem) -> Response:
        is_api = request.url.path.startswith("/api/")
        response = json_answer(request, problem) if is_api or page is None else await page(request, problem)
        response.headers.update(problem.headers)
        return response

    async def of_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 - Starlette dispatches by the type
        return await answer(request, error)

    async def of_kube(request: Request, error: Exception) -> Response:
        assert isinstance(error, KubeError)  # noqa: S101 - Starlette dispatches by the type
        return await answer(request, problem_of(error))

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette dispatches by the type
        found = [(_field(each["loc"]), str(each["msg"]).removeprefix(_PYDANTIC)) for each in error.errors()]
        of_query = all(each["loc"][0] == "query" for each in error.errors())
        message = "Invalid query parameters." if of_query else "Invalid request."
        return await answer(request, Problem(400, message, validations=found))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - Starlette dispatches by the type
        message = "Route not found." if error.status_code == HTTPStatus.NOT_FOUND else str(error.detail)
        return await answer(request, Problem(error.status_code, message, headers=error.headers))

    async def of_bug(request: Request, _: Exception) -> Response:
        # The guard logs it.
        request_id = record_of(request.scope).id
        return await answer(request, Problem(500, "An internal server error occurred.", f"Request {request_id}"))

    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(KubeError, of_kube)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_bug)


def _field(location: Sequence[str | int]) -> str:
    """Return the field or parameter of a validation, without `query` or `body` before it."""
    return ".".join(str(part) for part in location[1:])


def json_answer(request: Request, problem: Problem) -> Response:
    """Render a problem for programs."""
    if PROBLEM_JSON in request.headers.get("accept", "") and not request.url.path.startswith("/api/v2/"):
        body = problem.rfc_9457_body(record_of(request.scope).id)
        return JSONResponse(body, problem.status, media_type=PROBLEM_JSON)
    return JSONResponse(problem.coder_body(), problem.status)
