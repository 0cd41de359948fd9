"""Classify the API server's answers to writes, by the same rules for every kind of object.

Pure. `kube.errors` parses an answer, this module gives it a meaning, and `writer` acts on that.
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
    TooLargeError,
    UnreachableError,
)


class Result(StrEnum):
    """Outcome of a write, as the metrics count it."""

    OK = "ok"
    CONFLICT = "conflict"
    """It came too late; the current state was read instead."""
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    """It was abandoned, because another controller might have led before the answer."""
    DROPPED = "dropped"
    """It was not sent, because this controller no longer led."""


class Meaning(StrEnum):
    """Reaction that an answer requires."""

    BUSY = "busy"
    """Wait at the gate, like all other writes."""
    UNREACHABLE = "unreachable"
    """Wait until the API server can be reached."""
    NEWS = "news"
    """Read the object; if the precondition holds after all, treat the answer as a refusal."""
    TAKEN = "taken"
    """Find out to whom the object of this name belongs; never send the same request again."""
    REFUSED = "refused"
    """Report it, and back off."""


class NameTakenError(KubeError):
    """Conflict with an object of somebody else that has the needed name; the message explains what to do."""


class NoEffectError(KubeError):
    """Write that the API server accepted and that changed nothing, as it leaves out fields that it does not know."""


def meaning_of(error: Exception) -> Meaning:
    """Return the reaction that the answer requires."""
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
    NoEffectError: "NoEffect",
    ForbiddenError: "Forbidden",
    DeniedError: "Denied",
    InvalidError: "Invalid",
    PreconditionFailedError: "Denied",
    ConflictError: "Conflict",
    NotFoundError: "NotFound",
    InternalError: "InternalError",
    TooLargeError: "RequestEntityTooLarge",
}
_REASONS_BY_STATUS = {400: "BadRequest", 413: "RequestEntityTooLarge"}


def refusal_of(error: Exception) -> Refusal:
    """Return the reason and message of a refused write."""
    message = str(error)
    if isinstance(error, PreconditionFailedError):
        # Its tests hold, so this is a denial whose wording `kube.errors` does not recognize.
        message += ". The object has not changed, so an admission policy of the cluster may refuse the write."
    transient = isinstance(error, ConflictError | InternalError)
    return Refusal(_reason_of(error), message, transient=transient)


def _reason_of(error: Exception) -> str:
    if isinstance(error, ApiError) and type(error) not in _REASONS:
        return _REASONS_BY_STATUS.get(error.status, f"Status{error.status}")
    return _REASONS.get(type(error), type(error).__name__)
