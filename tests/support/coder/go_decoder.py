"""Decode answers as strictly as Go could: the fields of a struct, of the right types, with null only where Go has a pointer.

Stricter than Go's decoder itself, which ignores unknown fields and leaves absent ones at their zero value.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from support.coder.go_structs import ENUMS, STRUCTS

_RFC_3339 = re.compile(
    r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
)
_INTEGERS = {"int": 2**63, "int64": 2**63, "int32": 2**31}
_NULLABLE = frozenset({"NullTime", "uuid.NullUUID"})
_MAP = re.compile(r"map\[string\](.+)")
STRINGS_WITHOUT_CONSTANTS = frozenset({"string", "WorkspaceAgentPortShareLevel", "TimingStage", "LoginType"})


def problems_of(go_type: str, value: Any, at: str = "") -> list[str]:
    """Return what would not decode into the type, with its place; a list is written `[]Type`."""
    return list(_problems(go_type, value, at or go_type))


def _problems(go_type: str, value: Any, at: str) -> Iterator[str]:
    if go_type.startswith("*") or go_type in _NULLABLE:
        if value is None:
            return
        go_type = {"NullTime": "time.Time", "uuid.NullUUID": "uuid.UUID"}.get(go_type, go_type.removeprefix("*"))
    if value is None:
        yield f"{at}: null where {go_type} is due"
    elif go_type.startswith("[]"):
        yield from _list_problems(go_type.removeprefix("[]"), value, at)
    elif (found := _MAP.fullmatch(go_type)) is not None:
        yield from _map_problems(found[1], value, at)
    elif go_type in STRUCTS:
        yield from _struct_problems(go_type, value, at)
    elif not _is_scalar(go_type, value):
        yield f"{at}: {value!r} is no {go_type}"


def _list_problems(element: str, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: {value!r} is no list"
        return
    for index, each in enumerate(value):
        yield from _problems(element, each, f"{at}[{index}]")


def _map_problems(element: str, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no map"
        return
    for key, each in value.items():
        yield from _problems(element, each, f"{at}[{key!r}]")


def _struct_problems(name: str, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no {name}"
        return
    fields = STRUCTS[name]
    yield from (f"{at}.{unknown}: {name} has no such field" for unknown in value.keys() - fields.keys())
    for field, declared in fields.items():
        go_type, _, option = declared.partition(",")
        if field in value:
            if option and value[field] is None and go_type not in _NULLABLE:
                yield f"{at}.{field}: null, though it is left out where it is empty"
            yield from _problems(go_type, value[field], f"{at}.{field}")
        elif not option:
            yield f"{at}.{field}: absent"


def _is_scalar(go_type: str, value: Any) -> bool:
    match go_type:
        case "bool":
            return isinstance(value, bool)
        case "int" | "int32" | "int64":
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INTEGERS[go_type]
        case "time.Time":
            return isinstance(value, str) and _RFC_3339.fullmatch(value) is not None
        case "uuid.UUID":
            return isinstance(value, str) and _is_uuid(value)
        case _ if go_type in STRINGS_WITHOUT_CONSTANTS:
            return isinstance(value, str)
        case _:
            return value in ENUMS.get(go_type, ())


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
