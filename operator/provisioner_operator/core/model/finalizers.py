"""How the finalizers of an object change: by a JSON Patch (RFC 6902) that fails if they are not as they were."""

from collections.abc import Sequence

from provisioner_operator.core.model.json_value import JsonObject, JsonValue


def holds(path: str, value: JsonValue) -> JsonObject:
    """The operation by which a patch fails unless the path has this value."""
    return {"op": "test", "path": path, "value": value}


def added(finalizer: str, uid: str, present: Sequence[str]) -> list[JsonObject]:
    """The patch that adds one."""
    return _replaced(uid, present, [*present, finalizer])


def removed(finalizer: str, uid: str, present: Sequence[str]) -> list[JsonObject]:
    """The patch that removes it."""
    return _replaced(uid, present, [each for each in present if each != finalizer])


def _replaced(uid: str, present: Sequence[str], wanted: Sequence[str]) -> list[JsonObject]:
    return [
        holds("/metadata/uid", uid),
        holds("/metadata/finalizers", list(present) or None),
        {"op": "add", "path": "/metadata/finalizers", "value": wanted},
    ]
