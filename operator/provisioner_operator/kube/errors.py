"""Classify what an API server answers instead of the wanted thing, by what the caller can do about it.

Pure: from the HTTP status, the `Status` object and whether the request carried a JSON Patch `test`.
"""

import re
from collections.abc import Mapping
from typing import Any


class KubeError(Exception):
    """A request that did not succeed."""


class UnreachableError(KubeError):
    """No answer, or one that says to come back later: the API server, or the way to it, is not there now."""


class BusyError(UnreachableError):
    """429: the API server is there, and has no room for the request now; `retry_after` is its advice in seconds."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(f"The API server has too much to do: {message} (HTTP 429)")
        self.retry_after = retry_after


class ApiError(KubeError):
    """The API server refused; `status` is the HTTP code, the message its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status


class ForbiddenError(ApiError):
    """401 or 403: a right is missing."""


class NotFoundError(ApiError):
    """404: the object, or its kind, does not exist."""


class ConflictError(ApiError):
    """409: it exists already, or is not as it was."""


class AlreadyExistsError(ConflictError):
    """409 of a creation: an object of this name exists."""


class GoneError(ApiError):
    """410: a watch or a list has to begin anew."""


class InternalError(ApiError):
    """500: the API server answered, but could not do it; for one object (too large for etcd) it may stay so."""


class PreconditionFailedError(ApiError):
    """422 of a JSON Patch `test`: somebody else moved the object first."""


class InvalidError(ApiError):
    """422: the content is refused, by the API server's schema and rules, or by a policy of the cluster."""


class DeniedError(InvalidError):
    """422 of an admission policy or a webhook of the cluster."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    500: InternalError,
}

_DENIAL = re.compile(r"\bdenied (the )?request\b")
"""As the API server words it for ValidatingAdmissionPolicies and for webhooks."""
_CONFLICT = 409
_UNPROCESSABLE = 422
_TOO_MANY_REQUESTS = 429
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
    if status == _TOO_MANY_REQUESTS:
        return BusyError(message.strip(), float(retry_after) if retry_after.isdecimal() else None)
    if status in _COME_BACK_LATER:
        return UnreachableError(f"{message} (HTTP {status})")
    if status == _UNPROCESSABLE:
        return _unprocessable(message, body, has_tests=has_tests)
    if status == _CONFLICT and body.get("reason") == "AlreadyExists":
        return AlreadyExistsError(status, message)
    return _BY_STATUS.get(status, ApiError)(status, message)


def _unprocessable(message: str, body: Mapping[str, Any], *, has_tests: bool) -> ApiError:
    """Tell validation, which names fields in its causes, from a policy's denial and from a failed `test`."""
    causes = (body.get("details") or {}).get("causes") or ()
    if any(cause.get("field") for cause in causes):
        return InvalidError(_UNPROCESSABLE, message)
    if _DENIAL.search(message):
        return DeniedError(_UNPROCESSABLE, message)
    return PreconditionFailedError(_UNPROCESSABLE, message) if has_tests else InvalidError(_UNPROCESSABLE, message)


PASSING = (UnreachableError, InternalError)
"""What may be gone at the next try, for whoever has to get through."""
