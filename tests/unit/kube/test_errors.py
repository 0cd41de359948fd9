"""The API server's answers, in its own words, and what each is taken for."""

from typing import Any

import pytest

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
    TooLargeError,
    UnreachableError,
    error_of,
)

POLICY = "jobs \"a\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no label"
WEBHOOK = 'admission webhook "w.example.org" denied the request: no'
FAILED_TEST = "the server rejected our request due to an error in our request"
FIELD = {"causes": [{"reason": "FieldValueInvalid", "message": "too long", "field": "spec.name"}]}
NO_FIELD = {"causes": [{"message": "no label"}]}


@pytest.mark.parametrize(
    ("status", "message", "details", "has_tests", "kind"),
    [
        (422, FAILED_TEST, {}, True, PreconditionFailedError),
        (422, FAILED_TEST, {}, False, InvalidError),
        (422, POLICY, NO_FIELD, True, DeniedError),
        (422, POLICY, NO_FIELD, False, DeniedError),
        (422, WEBHOOK, {}, True, DeniedError),
        *((code, WEBHOOK, {}, True, DeniedError) for code in (400, 404, 409, 410, 413, 418, 429, 500, 502, 503, 504)),
        # The value that is too long quotes a denial.
        (422, f"message: Invalid value: {WEBHOOK}", FIELD, True, InvalidError),
        (422, "name is too long", FIELD, True, InvalidError),
        (422, "name is too long", FIELD, False, InvalidError),
        (403, POLICY, NO_FIELD, True, ForbiddenError),
        (403, 'pods is forbidden: User "x" cannot create resource "pods"', {}, False, ForbiddenError),
        (401, "Unauthorized", {}, False, ForbiddenError),
        (401, WEBHOOK, {}, False, ForbiddenError),
        (404, "not found", {}, True, NotFoundError),
        (500, "etcdserver: request timed out", {}, True, InternalError),
        *((code, "apiserver is shutting down", {}, True, UnreachableError) for code in (502, 503, 504)),
        (429, "too many requests", {}, True, BusyError),
        (413, "Request entity too large", {}, False, TooLargeError),
        (500, "etcdserver: request is too large", {}, True, TooLargeError),
        (500, "rpc error: trying to send message larger than max (2 vs. 1)", {}, True, TooLargeError),
        (400, "bad request", {}, True, ApiError),
        (409, "the object has been modified", {}, True, ConflictError),
        (410, "too old resource version", {}, False, GoneError),
    ],
)
def test_each_answer_is_taken_for_what_it_is(
    status: int, message: str, details: dict[str, Any], kind: type[KubeError], *, has_tests: bool
) -> None:
    error = error_of(status, {"message": message, "details": details}, has_tests=has_tests)
    assert type(error) is kind
    assert message in str(error)


def test_a_taken_name_is_distinguished_from_other_conflicts() -> None:
    assert type(error_of(409, {"reason": "AlreadyExists", "message": "exists"})) is AlreadyExistsError
    assert type(error_of(409, {"reason": "Conflict", "message": "the object has been modified"})) is ConflictError


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "the message", "reason": "Reason"}, "the message (HTTP 404)"),
        ({"message": "", "reason": "NotFound"}, "NotFound (HTTP 404)"),
        ({}, "no message (HTTP 404)"),
    ],
)
def test_an_error_says_what_the_answer_says(body: dict[str, Any], said: str) -> None:
    error = error_of(404, body)
    assert isinstance(error, NotFoundError)
    assert (error.status, str(error)) == (404, said)


@pytest.mark.parametrize(("header", "seconds"), [("", None), ("0", 0.0), ("7", 7.0), ("tomorrow", None)])
def test_a_busy_api_server_says_when_to_come_back(header: str, seconds: float | None) -> None:
    error = error_of(429, {"message": " too many requests\n"}, header)
    assert isinstance(error, BusyError)
    assert error.retry_after == seconds
    assert str(error) == "The API server is overloaded: too many requests (HTTP 429)"
