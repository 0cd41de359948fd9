"""Build conditional JSON Patches (RFC 6902): the preconditions, and the changes if they hold.

The only builder of patches: used by the core's decisions, the daemon, the command line and the bench.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provisioner_operator.api.v1alpha1.limits import (
    LONGEST_MESSAGE,
)
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.model.records import Condition

Field = tuple[str, JsonValue]
"""A JSON Pointer (RFC 6901) and the value there."""


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """Conditional write, which fails as a whole unless all tests hold. JSON null stands for an absent path."""

    tests: tuple[Field, ...]
    sets: tuple[Field, ...]
    removes: tuple[str, ...] = ()

    def operations(self) -> list[JsonObject]:
        """Return the RFC 6902 document: tests, then removals, then additions."""
        return [
            *({"op": "test", "path": path, "value": value} for path, value in self.tests),
            *({"op": "remove", "path": path} for path in self.removes),
            *({"op": "add", "path": path, "value": value} for path, value in self.sets),
        ]

    def holds_for(self, body: Mapping[str, Any]) -> bool:
        """Return whether all tests pass for this object; if so, a refusal has another cause."""
        return all(_value_at(body, path) == value for path, value in self.tests)


def timestamp(seconds: float) -> str:
    """Format seconds since the epoch as RFC 3339 in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def clip(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Cut the text to the maximum length of its field, by default that of a condition's message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def conditions_json(conditions: tuple[Condition, ...]) -> JsonValue:
    """Render conditions as JSON of a status."""
    return [
        {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "lastTransitionTime": timestamp(condition.since),
        }
        for condition in conditions
    ]


def add_finalizer(finalizer: str, uid: str, present: Sequence[str]) -> JsonPatch:
    """Return the patch that adds the finalizer; fails if the finalizers have changed."""
    return _replace_finalizers(uid, present, [*present, finalizer])


def remove_finalizer(finalizer: str, uid: str, present: Sequence[str]) -> JsonPatch:
    """Return the patch that removes the finalizer; fails if the finalizers have changed."""
    return _replace_finalizers(uid, present, [each for each in present if each != finalizer])


def _replace_finalizers(uid: str, present: Sequence[str], wanted: Sequence[str]) -> JsonPatch:
    return JsonPatch(
        tests=(("/metadata/uid", uid), ("/metadata/finalizers", list(present) or None)),
        sets=(("/metadata/finalizers", list(wanted)),),
    )


def _value_at(body: Any, pointer: str) -> Any:
    """Return the value at a JSON Pointer, through objects only; None if there is none."""
    for part in pointer.split("/")[1:]:
        if not isinstance(body, Mapping):
            return None
        body = body.get(part.replace("~1", "/").replace("~0", "~"))
    return body
