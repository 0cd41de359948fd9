"""Apply JSON Patches (RFC 6902) as the API server does. Bodies are never changed in place."""

from collections.abc import Sequence
from typing import Any

from provisioner_operator.core.model.json_value import JsonObject

Body = dict[str, Any]


class RefusedError(Exception):
    """Rejection with status 422, because a test of the patch failed or a path does not exist."""


def patched(body: Body, operations: Sequence[JsonObject]) -> Body:
    """Return the body with all operations applied. Raises RefusedError, and then none of them is."""
    new = body
    for operation in operations:
        path = str(operation["path"]).split("/")[1:]
        match operation["op"]:
            case "test":
                if _value_at(new, path) != operation["value"]:
                    raise RefusedError
            case "remove":
                if _value_at(new, path) is None:
                    raise RefusedError
                new = without(new, path)
            case _:
                new = _with_value(new, path, operation["value"])
    return new


def without(body: Body, path: Sequence[str]) -> Body:
    """Return the body without the value at the path, if there is one."""
    first, *rest = path
    if rest and first in body:
        return {**body, first: without(body[first], rest)}
    return {key: value for key, value in body.items() if rest or key != first}


def _value_at(body: Any, path: Sequence[str]) -> Any:
    for part in path:
        body = body.get(part)
        if body is None:
            return None
    return body


def _with_value(body: Body, path: Sequence[str], value: Any) -> Body:
    first, *rest = path
    if not rest:
        return {**body, first: value}
    if body.get(first) is None:
        raise RefusedError
    return {**body, first: _with_value(body[first], rest, value)}
