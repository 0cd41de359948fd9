"""The vocabulary of the validation rules (CEL) that the API server runs on every write.

The models attach rules through `json_schema_extra`; the generator carries them into the CRDs. Nothing here knows any
kind. Each rule has a message that says what is wrong in the reader's words, and where it can a field to point at.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NotRequired, TypedDict, cast

from pydantic import BaseModel
from pydantic.config import JsonDict

RULES = "x-kubernetes-validations"

Reason = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"]


class Rule(TypedDict):
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str
    messageExpression: NotRequired[str]
    reason: Reason
    fieldPath: NotRequired[str]


def rule(
    expression: str,
    message: str,
    *,
    field: str | None = None,
    reason: Reason = "FieldValueInvalid",
    message_expression: str | None = None,
) -> Rule:
    """A rule: `expression` must hold, or the write is refused with `message` at `field` (relative to where it stands)."""
    written = Rule(rule=expression, message=message, reason=reason)
    if message_expression is not None:
        written["messageExpression"] = message_expression
    if field is not None:
        written["fieldPath"] = f".{field}"
    return written


def one_of(values: Iterable[str]) -> str:
    """CEL's list of the values, in a fixed order, as the right-hand side of `in`."""
    return "[" + ", ".join(f"'{value}'" for value in sorted(values)) + "]"


def unchanged(field: str) -> str:
    """The expression for a field that is as it was, or as absent as it was.

    Not written with CEL's optional values: of those the API server cannot estimate the cost, and refuses the rule.
    """
    return f"{_as_absent(field)} && (!has(self.{field}) || self.{field} == oldSelf.{field})"


def exactly_one_of(*fields: str) -> str:
    """The expression for exactly one of the fields being set."""
    return "[" + ", ".join(f"has(self.{field})" for field in fields) + "].exists_one(is_set, is_set)"


def validated_by(*rules: Rule) -> JsonDict:
    """The `json_schema_extra` of a model or field that the rules guard."""
    return {RULES: [cast("JsonDict", {**each}) for each in rules]}


def frozen_except(
    mutable: frozenset[str], where: str, *rules: Rule, follows: frozenset[str] = frozenset()
) -> Callable[[JsonDict, type[BaseModel]], None]:
    """As `validated_by`; and none of the model's fields but the mutable ones ever changes.

    A field's own rule compares it, which costs the API server next to nothing; rules of the whole model cost it a map of
    all fields for each one that they name, at every write. So only whether an optional field is there is theirs, and not
    even that for those of which it `follows` from the other rules. Empty lists and maps are stored as such, so that
    absent ones need no rule.
    """

    def freeze(schema: JsonDict, model: type[BaseModel]) -> None:
        properties = cast("dict[str, JsonDict]", schema["properties"])
        optional: list[str] = []
        for name, field in ((field.alias or name, field) for name, field in model.model_fields.items()):
            if name in mutable:
                continue
            frozen = f"{where}.{name} is immutable: create a new job instead"
            _add_rules(properties[name], rule("self == oldSelf", frozen, reason="FieldValueForbidden"))
            if field.default in ([], {}):
                properties[name]["default"] = field.default
            elif field.default is None and name not in follows:
                optional.append(name)
        _add_rules(schema, *rules, *([_neither_added_nor_removed(where, optional)] if optional else []))

    return freeze


def _add_rules(schema: JsonDict, *rules: Rule) -> None:
    """Let them come after what guards the schema already, here or by reference."""
    known = cast("list[JsonDict]", schema.get(RULES, []))
    schema[RULES] = [*known, *(cast("JsonDict", {**each}) for each in rules)]


def _neither_added_nor_removed(where: str, fields: Sequence[str]) -> Rule:
    """One rule for all of them, whose message names the one that was."""
    *others, last = fields
    named = "".join(f"has(self.{field}) != has(oldSelf.{field}) ? '{field}' : " for field in others) + f"'{last}'"
    ending = "is immutable, and can be neither added nor removed: create a new job instead"
    return rule(
        " && ".join(_as_absent(field) for field in fields),
        f"an optional field of {where} {ending}",
        reason="FieldValueForbidden",
        message_expression=f"'{where}.' + ({named}) + ' {ending}'",
    )


def _as_absent(field: str) -> str:
    return f"has(self.{field}) == has(oldSelf.{field})"
