"""Failures are answered in one place: in Coder's shape, in RFC 9457's, or as a page."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from provisioner_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    BusyError,
    ConflictError,
    DeniedError,
    ForbiddenError,
    GoneError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)
from provisioner_operator.web.problems import PROBLEM_JSON, Problem, install, problem_of

FULL = Problem(
    418, "No coffee here.", "It is a teapot.", validations=[("drink", "must be tea")], headers={"X-Tea": "1"}
)


def get(error: Exception, path: str, accept: str = "*/*") -> httpx.Response:
    app = FastAPI()

    async def page(_: Request, problem: Problem) -> Response:
        return HTMLResponse(f"<p>{problem.message}", problem.status)

    async def fail() -> None:
        raise error

    install(app, page)
    app.add_api_route(path, fail)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers={"Accept": accept})

    return asyncio.run(run())


def test_the_api_answers_as_coder_does() -> None:
    answer = get(FULL, "/api/v2/things")

    assert answer.status_code == 418
    assert answer.headers["X-Tea"] == "1"
    assert answer.json() == {
        "message": "No coffee here.",
        "detail": "It is a teapot.",
        "validations": [{"field": "drink", "detail": "must be tea"}],
    }


def test_our_own_api_answers_by_rfc_9457_if_asked() -> None:
    answer = get(FULL, "/api/provisioner/v1/things", PROBLEM_JSON)

    assert answer.headers["Content-Type"] == PROBLEM_JSON
    assert answer.headers["X-Tea"] == "1"
    body = answer.json()
    assert body.pop("instance").startswith("urn:uuid:")
    assert body == {
        "type": "about:blank",
        "title": "No coffee here.",
        "status": 418,
        "detail": "It is a teapot.",
        "errors": [{"pointer": "drink", "detail": "must be tea"}],
    }
    assert get(FULL, "/api/provisioner/v1/things").json()["message"] == "No coffee here."
    assert get(FULL, "/api/v2/things", PROBLEM_JSON).json()["message"] == "No coffee here."


def test_people_get_a_page() -> None:
    assert get(FULL, "/things").text == "<p>No coffee here."


def test_a_bug_is_answered_without_its_details() -> None:
    answer = get(ZeroDivisionError("secret"), "/api/v2/things")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["detail"].startswith("Request ")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError(404, "no such job"), 404),
        (ApiError(520, "a proxy's own"), 520),
        (ApiError(302, "elsewhere"), 502),
        (ApiError(999, "nonsense"), 502),
        (PreconditionFailedError(422, "test failed"), 412),
        (ConflictError(409, "changed"), 409),
        (AlreadyExistsError(409, "exists"), 409),
        (InvalidError(422, "spec.priority"), 400),
        (DeniedError(418, "policy"), 400),
        (GoneError(410, "too old"), 410),
        (InternalError(500, "etcd"), 502),
        (ForbiddenError(403, "no"), 403),
        (ForbiddenError(401, "who"), 401),
        (BusyError("busy", 7.0), 503),
        (BusyError("busy", None), 503),
        (UnreachableError("away"), 503),
        (ApiError(413, "too large"), 413),
        (KubeError("odd"), 502),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_each_failure_of_the_api_server_has_a_status_and_its_own_words(error: KubeError, status: int) -> None:
    problem = problem_of(error)

    assert problem.status == status
    assert problem.detail == str(error)
    assert get(error, "/api/v2/things").status_code == status


def test_clients_are_told_when_to_try_again() -> None:
    assert problem_of(BusyError("busy", 7.0)).headers["Retry-After"] == "7"
    assert problem_of(BusyError("busy", None)).headers["Retry-After"] == "2"
    assert problem_of(UnreachableError("away")).headers["Retry-After"] == "2"


def test_whoever_is_not_signed_in_is_told_how() -> None:
    assert problem_of(ForbiddenError(401, "who")).headers["WWW-Authenticate"] == "Bearer"
