"""Classify failed answers of an API server by what the caller can do about them.

Pure: from the HTTP status, the `Status` object and whether the request carried a JSON Patch `test`.
"""

import re
from collections.abc import Mapping
from typing import Any


class KubeError(Exception):
    """Request that did not succeed."""


class UnreachableError(KubeError):
    """No answer, or one that asks to retry later: the API server, or the connection to it, is down."""


class BusyError(UnreachableError):
    """429: the API server is overloaded; `retry_after` is the pause in seconds that it asks for."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(f"The API server is overloaded: {message} (HTTP 429)")
        self.retry_after = retry_after


class UnsettledError(UnreachableError):
    """403 soon after a loss of contact: an API server that has just started may not know the caller's rights yet."""


class ApiError(KubeError):
    """Refusal by the API server; `status` is the HTTP code, the message quotes its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status


class ForbiddenError(ApiError):
    """401 or 403: a right is missing."""


class NotFoundError(ApiError):
    """404: the object, or its kind, does not exist."""


class ConflictError(ApiError):
    """409: the object exists already, or has changed."""


class AlreadyExistsError(ConflictError):
    """409 of a creation: an object of this name exists."""


class GoneError(ApiError):
    """410: a watch or a list has to start over."""


class InternalError(ApiError):
    """500: the API server failed to carry out the request; for one object this may be permanent."""


class TooLargeError(ApiError):
    """413, or 500 with etcd's refusal: the request, or the object that it would leave, is too large. It stays so."""


class PreconditionFailedError(ApiError):
    """422 of a JSON Patch `test`: another writer was first."""


class InvalidError(ApiError):
    """422: the schema, a rule of the API or a policy of the cluster rejects the content; a denial has any code."""


class DeniedError(InvalidError):
    """Denial by an admission policy or a webhook of the cluster, which chooses the code, other than 401 and 403."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    413: TooLargeError,
    500: InternalError,
}

_DENIAL = re.compile(r"\bdenied (the )?request\b")
"""Wording of the API server for denials by ValidatingAdmissionPolicies and by webhooks."""
_TOO_LARGE = re.compile(r"request is too large|message larger than max", re.IGNORECASE)
"""Wording of etcd, and of the API server's connection to it; both arrive as 500."""
_CONFLICT = 409
_INTERNAL = 500
_UNPROCESSABLE = 422
_TOO_MANY_REQUESTS = 429
_UNAUTHORIZED = frozenset({401, 403})
_COME_BACK_LATER = frozenset({502, 503, 504})


def error_of(status: int, body: Mapping[str, Any], retry_after: str = "", *, has_tests: bool = False) -> KubeError:
    """Return the error for an HTTP status, the API server's `Status` object and its header Retry-After.

    Args:
        status: The HTTP status.
        body: The `Status` object.
        retry_after: The header, if there was one.
        has_tests: Whether the request was a JSON Patch with a `test`.
    """
    message = str(body.get("message") or body.get("reason") or "no message")
    # First: the code of a denial says nothing about the API server, which is neither busy nor down, nor about the object.
    if _DENIAL.search(message) and status not in _UNAUTHORIZED and not _names_field(body):
        return DeniedError(status, message)
    if status == _TOO_MANY_REQUESTS:
        return BusyError(message.strip(), float(retry_after) if retry_after.isdecimal() else None)
    if status in _COME_BACK_LATER:
        return UnreachableError(f"{message} (HTTP {status})")
    if status == _UNPROCESSABLE:
        return _unprocessable(message, body, has_tests=has_tests)
    return _kind(status, message, body)(status, message)


def _kind(status: int, message: str, body: Mapping[str, Any]) -> type[ApiError]:
    if status == _INTERNAL and _TOO_LARGE.search(message):
        return TooLargeError
    if status == _CONFLICT and body.get("reason") == "AlreadyExists":
        return AlreadyExistsError
    return _BY_STATUS.get(status, ApiError)


def _unprocessable(message: str, body: Mapping[str, Any], *, has_tests: bool) -> ApiError:
    """Distinguish validation from a failed `test`."""
    is_test = has_tests and not _names_field(body)
    return PreconditionFailedError(_UNPROCESSABLE, message) if is_test else InvalidError(_UNPROCESSABLE, message)


def _names_field(body: Mapping[str, Any]) -> bool:
    """Return whether the answer is of the API server's own validation, whose causes name fields and quote values."""
    causes = (body.get("details") or {}).get("causes") or ()
    return any(cause.get("field") for cause in causes)


class RestoredError(Exception):
    """The API server knows less than it did: its database was restored from a backup, and versions count from there.

    No KubeError, since no retry helps: what was observed before has to be forgotten.
    """

    def __init__(self, path: str, version: int, known: int) -> None:
        super().__init__(f"{path} is at version {version} after {known} was observed: etcd was restored from a backup")


PASSING = (UnreachableError, InternalError)
"""Errors that may not recur at the next attempt."""
