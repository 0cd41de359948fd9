"""Tables of a schema's fields in Markdown: a section for each object, with its fields and the rules that guard them.

Called by `reference`. Knows structural schemas, and nothing of any kind.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from provisioner_operator.api.crd.schema import default_in_words
from provisioner_operator.api.v1alpha1.rules import RULES, Rule, unchanged

_IMMUTABLE = "self == oldSelf"
_SAME_FIELD = re.compile(r"self\.([A-Za-z.]+) == oldSelf\.\1")
"""A rule of an object that a field inside it keeps its value."""
_INT_OR_STRING = "x-kubernetes-int-or-string"
_MAP_KEYS = "x-kubernetes-list-map-keys"
_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " entries"),
)


def sections(schema: JsonSchemaValue, path: str, immutable: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the section of the object at `path`, then those of the objects inside it.

    Rules outside of the object may declare fields `immutable`, by their paths in it.
    """
    level = "#" * (2 if "." not in path else 3)
    immutable |= _immutable_fields(schema)
    yield f"{level} {path}\n\n{schema['description']}\n\n{_table(schema, path, immutable)}{_rules(schema)}"
    for name, field in schema["properties"].items():
        inner, suffix = _object_in(field)
        if inner is not None:
            of_inner = frozenset(each.removeprefix(f"{name}.") for each in immutable if each.startswith(f"{name}."))
            yield from sections(
                {**inner, "description": inner.get("description", "")}, f"{path}.{name}{suffix}", of_inner
            )


def cell(text: str) -> str:
    """Escape a text for a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def rule_lines(rules: list[Rule], where: str) -> Iterator[str]:
    """Yield an entry for each rule but immutability: the field, the message of a refusal, and the expression."""
    for rule in rules:
        if rule["rule"] == _IMMUTABLE:
            continue
        field = where + rule.get("fieldPath", "")
        named = f"`{field.removeprefix('.')}`: " if field else ""
        yield f"- {named}{rule['message']}\n  ```cel\n  {rule['rule']}\n  ```\n"


def _immutable_fields(schema: JsonSchemaValue) -> frozenset[str]:
    """Paths of the fields that a rule of the object keeps as they are."""
    found = set()
    for each in schema.get(RULES, ()):
        named = each.get("fieldPath", "").removeprefix(".")
        if named and each["rule"] == unchanged(named):
            found.add(named)
        elif same := _SAME_FIELD.fullmatch(each["rule"]):
            found.add(same[1])
    return frozenset(found)


def _table(schema: JsonSchemaValue, path: str, immutable: frozenset[str]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        f"| `{name}` | {_type(field, f'{path}.{name}')} | {_default(field)} "
        f"| {_constraints(field, required=name in required, immutable=name in immutable)} | {_description(field)} |\n"
        for name, field in schema["properties"].items()
    ]
    return "| field | type | default | constraints | description |\n|---|---|---|---|---|\n" + "".join(rows)


def _rules(schema: JsonSchemaValue) -> str:
    """The rules of the object itself, and of those of its fields that have no section of their own."""
    lines = [*rule_lines(schema.get(RULES, []), "")]
    for name, field in schema["properties"].items():
        if "properties" not in field:
            lines += rule_lines(field.get(RULES, []), f".{name}")
    return f"\nRules:\n\n{''.join(lines)}" if lines else ""


def _object_in(field: JsonSchemaValue) -> tuple[JsonSchemaValue | None, str]:
    """The object that the field is or holds, and how its path goes on."""
    for keyword, suffix in ((None, ""), ("items", "[]"), ("additionalProperties", "[*]")):
        inner = field if keyword is None else field.get(keyword, {})
        if "properties" in inner:
            return inner, suffix
    return None, ""


def _type(field: JsonSchemaValue, path: str) -> str:
    if "items" in field:
        return f"list of {_type(field['items'], f'{path}[]')}"
    if "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'], f'{path}[*]')}"
    if "properties" in field:
        return f"[object](#{_anchor(path)})"
    if field.get(_INT_OR_STRING):
        return "integer or string"
    return "time (RFC 3339)" if field.get("format") == "date-time" else str(field["type"])


def _anchor(path: str) -> str:
    """The id that GitHub gives to the section's heading."""
    return "".join(each for each in path.lower() if each.isalnum() or each in "-_")


def _default(field: JsonSchemaValue) -> str:
    if "default" not in field:
        return ""
    default = field["default"]
    return f"`{cell(default if isinstance(default, str) and default else json.dumps(default))}`"


def _constraints(field: JsonSchemaValue, *, required: bool, immutable: bool) -> str:
    found = ["**required**"] if required else []
    if immutable or any(rule["rule"] == _IMMUTABLE for rule in field.get(RULES, ())):
        found.append("immutable")
    found += _value_constraints(field)
    if keys := field.get(_MAP_KEYS):
        found.append("unique by " + ", ".join(f"`{key}`" for key in keys))
    if field.get("x-kubernetes-list-type") == "set":
        found.append("unique items")
    for keyword in ("items", "additionalProperties"):
        if each := "; ".join(_value_constraints(field.get(keyword, {}))):
            found.append(f"each: {each}")
    return "; ".join(found)


def _value_constraints(field: JsonSchemaValue) -> list[str]:
    found = []
    if values := field.get("enum"):
        found.append("one of " + ", ".join(f"`{value}`" for value in values))
    for lowest, highest, unit in _RANGES:
        if text := _range(field.get(lowest), field.get(highest)):
            found.append(text + unit)
    if pattern := field.get("pattern"):
        found.append(f"matches `{cell(pattern)}`")
    return found


def _range(lowest: Any, highest: Any) -> str:
    if lowest is None:
        return "" if highest is None else f"at most {highest}"
    return f"at least {lowest}" if highest is None else f"{lowest} to {highest}"


def _description(field: JsonSchemaValue) -> str:
    return cell(field.get("description", "").removesuffix(default_in_words(field.get("default"))))
