"""A value of the chart, and the files that are written from all of them: values.yaml, its schema, the table of the README."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chart.template_text import NESTING, dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
SWITCH: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
STRINGS: Schema = {"type": "object", "additionalProperties": TEXT}
OBJECT: Schema = {"type": "object"}
"""An object of Kubernetes' API, which checks its fields itself."""
OBJECTS: Schema = {"type": "array", "items": OBJECT}
CIDRS: Schema = {"type": "array", "items": {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]+$"}}
NAMES: Schema = {"type": "array", "items": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}}
OWN_LABELS: Schema = {
    **STRINGS,
    "properties": {f"app.kubernetes.io/{each}": False for each in ("name", "component", "part-of", "managed-by")},
}
"""Labels beside those that the chart needs."""

NO_FURTHER = {"type": "object", "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class ChartValue:
    """A setting of the chart."""

    path: str
    """Names from the root, with dots between them."""
    default: Any
    schema: Schema
    comment: str

    @property
    def words(self) -> list[str]:
        """Names from the root."""
        return self.path.split(".")


def switch(path: str, comment: str, *, on: bool = False) -> ChartValue:
    """Return a setting that is on or off."""
    return ChartValue(path, on, SWITCH, comment)


def values_file(values: Sequence[ChartValue], heading: str) -> str:
    """Return values.yaml, in the order of the values, each below its comment."""
    return "\n".join([*(f"# {each}" for each in heading.splitlines()), "", *_entries(values, depth=0)]) + "\n"


def _entries(values: Iterable[ChartValue], *, depth: int) -> Iterator[str]:
    indent = " " * NESTING * depth
    for name, inside in _grouped(values, depth).items():
        if len(inside) == 1 and len(inside[0].words) == depth + 1:
            (value,) = inside
            yield f"{indent}# {value.comment}"
            yield from (f"{indent}{each}" for each in dump({name: value.default}).splitlines())
        else:
            yield f"{indent}{name}:"
            yield from _entries(inside, depth=depth + 1)
        if depth == 0:
            yield ""


def _grouped(values: Iterable[ChartValue], depth: int) -> dict[str, list[ChartValue]]:
    groups: dict[str, list[ChartValue]] = {}
    for value in values:
        groups.setdefault(value.words[depth], []).append(value)
    return groups


def schema_file(values: Sequence[ChartValue]) -> str:
    """Return values.schema.json: Helm refuses every value that it does not list."""
    root: Schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_schema(values, depth=0)}
    # Of charts that use this one.
    root["properties"]["global"] = {"type": "object"}
    return json.dumps(root, indent=2, ensure_ascii=False) + "\n"


def _schema(values: Iterable[ChartValue], *, depth: int) -> Schema:
    properties: Schema = {}
    for name, inside in _grouped(values, depth).items():
        if len(inside) == 1 and len(inside[0].words) == depth + 1:
            properties[name] = {**inside[0].schema, "description": inside[0].comment}
        else:
            properties[name] = _schema(inside, depth=depth + 1)
    return {**NO_FURTHER, "properties": properties}


def table(values: Sequence[ChartValue]) -> str:
    """Return the values as a table of Markdown; a default of several fields is left to values.yaml."""
    rows = [
        f"| `{each.path}` | {_short(each.default)} | {each.comment.replace('|', chr(92) + '|')} |" for each in values
    ]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])


def _short(default: Any) -> str:
    if isinstance(default, (dict, list)) and default:
        return "see values.yaml"
    return f"`{json.dumps(default)}`"
