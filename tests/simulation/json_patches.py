"""JSON patches (RFC 6902) as the simulated API server applies them to objects, which are never changed in place."""

from collections.abc import Sequence
from typing import Any

from provisioner_operator.core.model.json_value import JsonObject

Body = dict[str, Any]


class RefusedError(Exception):
    """Rejection with status 422, because a test of the patch failed."""


def patched(old: Body, operations: Sequence[JsonObject]) -> Body:
    """Apply a JSON patch (RFC 6902). Raises RefusedError if a test fails."""
    new = old
    for operation in operations:
        path = str(operation["path"]).split("/")[1:]
        match operation["op"]:
            case "test":
                if _value_at(new, path) != operation["value"]:
                    raise RefusedError
            case "remove":
                if _value_at(new, path) is None:
                    raise RefusedError
                new = _with_value(new, path, None)
            case _:
                new = _with_value(new, path, operation["value"])
    return new


def _value_at(body: Any, path: Sequence[str]) -> Any:
    for part in path:
        body = body.get(part)
        if body is None:
            return None
    return body


def _with_value(body: Body, path: Sequence[str], value: Any) -> Body:
    first, *rest = path
    if rest:
        if body.get(first) is None:
            raise RefusedError
        return {**body, first: _with_value(body[first], rest, value)}
    if value is None:
        return {key: content for key, content in body.items() if key != first}
    return {**body, first: value}
