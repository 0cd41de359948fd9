"""Classification of answers: news or refusal, and for which reason."""

import pytest

from provisioner_operator.controller.writes.answers import Meaning, NameTakenError, meaning_of, refusal_of
from provisioner_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    BusyError,
    ConflictError,
    DeniedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
    UnreachableError,
)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (BusyError("busy", 1), Meaning.BUSY),
        (UnreachableError("away"), Meaning.UNREACHABLE),
        (AlreadyExistsError(409, "exists"), Meaning.TAKEN),
        (ConflictError(409, "modified"), Meaning.NEWS),
        (NotFoundError(404, "gone"), Meaning.NEWS),
        (PreconditionFailedError(422, "test failed"), Meaning.NEWS),
        (DeniedError(422, "denied request"), Meaning.REFUSED),
        (InvalidError(422, "too long"), Meaning.REFUSED),
        (ForbiddenError(403, "no right"), Meaning.REFUSED),
        (ApiError(413, "too large"), Meaning.REFUSED),
        (ApiError(400, "bad"), Meaning.REFUSED),
        (InternalError(500, "etcd"), Meaning.REFUSED),
        (NameTakenError("somebody else's"), Meaning.REFUSED),
        (ValueError("a bug"), Meaning.REFUSED),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else None,
)
def test_each_answer_asks_for_one_thing(error: Exception, meaning: Meaning) -> None:
    assert meaning_of(error) is meaning


@pytest.mark.parametrize(
    ("error", "reason", "transient"),
    [
        (DeniedError(422, "denied request"), "Denied", False),
        (PreconditionFailedError(422, "in a webhook's own words"), "Denied", False),
        (InvalidError(422, "too long"), "Invalid", False),
        (ForbiddenError(403, "no right"), "Forbidden", False),
        (ApiError(413, "too large"), "RequestEntityTooLarge", False),
        (TooLargeError(500, "etcdserver: request is too large"), "RequestEntityTooLarge", False),
        (ApiError(400, "bad"), "BadRequest", False),
        (ApiError(418, "teapot"), "Status418", False),
        (NotFoundError(404, "no namespace"), "NotFound", False),
        (NameTakenError("somebody else's"), "NameTaken", False),
        (ConflictError(409, "quota"), "Conflict", True),
        (InternalError(500, "etcd"), "InternalError", True),
        (ValueError("a bug"), "ValueError", False),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else None,
)
def test_a_refusal_has_a_reason_and_the_api_servers_words(error: Exception, reason: str, *, transient: bool) -> None:
    refusal = refusal_of(error)
    assert (refusal.reason, refusal.transient) == (reason, transient)
    assert str(error) in refusal.message
