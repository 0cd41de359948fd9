"""Classify the API server's answers to writes: one regime for every kind of object.

Pure. Together with `kube.errors`, which reads the answer itself, the whole table; `writer` acts by it.
"""

from collections.abc import Mapping
from enum import StrEnum

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    BusyError,
    ConflictError,
    DeniedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)


class Result(StrEnum):
    """The outcome of a write, as it is counted."""

    OK = "ok"
    CONFLICT = "conflict"
    """It came too late: what is true was read instead."""
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    """It was abandoned, since another controller might have led before its answer."""
    DROPPED = "dropped"
    """It was not sent, since this controller led no more."""


class Meaning(StrEnum):
    """What an answer asks for."""

    BUSY = "busy"
    """Wait at the gate, with all others."""
    UNREACHABLE = "unreachable"
    """Wait until there is an API server."""
    NEWS = "news"
    """Read the object; if it is as the write required after all, it is a refusal."""
    TAKEN = "taken"
    """Find out whose the name is; never send the same request again."""
    REFUSED = "refused"
    """Say so, and back off."""


class NameTakenError(KubeError):
    """An object that somebody else made bears the name that is needed; the message says whose it is and what to do."""


def meaning_of(error: Exception) -> Meaning:
    """Return what the answer asks for."""
    match error:
        case BusyError():
            return Meaning.BUSY
        case UnreachableError():
            return Meaning.UNREACHABLE
        case AlreadyExistsError():
            return Meaning.TAKEN
        case PreconditionFailedError() | ConflictError() | NotFoundError():
            return Meaning.NEWS
        case _:
            return Meaning.REFUSED


_REASONS: Mapping[type[Exception], str] = {
    NameTakenError: "NameTaken",
    ForbiddenError: "Forbidden",
    DeniedError: "Denied",
    InvalidError: "Invalid",
    PreconditionFailedError: "Denied",
    ConflictError: "Conflict",
    NotFoundError: "NotFound",
    InternalError: "InternalError",
}
_REASONS_BY_STATUS = {400: "BadRequest", 413: "RequestEntityTooLarge"}


def refusal_of(error: Exception) -> Refusal:
    """Return why a write is refused, from the answer, or from an answer that was no news."""
    message = str(error)
    if isinstance(error, PreconditionFailedError):
        # Its tests hold, so it is a denial in words that nobody here knows.
        message += ". The object has not changed: does an admission policy of the cluster refuse the write?"
    transient = isinstance(error, ConflictError | InternalError)
    return Refusal(_reason_of(error), message, transient=transient)


def _reason_of(error: Exception) -> str:
    if isinstance(error, ApiError) and type(error) not in _REASONS:
        return _REASONS_BY_STATUS.get(error.status, f"Status{error.status}")
    return _REASONS.get(type(error), type(error).__name__)
