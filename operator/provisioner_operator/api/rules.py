"""The vocabulary of the validation rules (CEL) that the API server runs on every write.

The models attach rules through `json_schema_extra`; the generator carries them into the CRDs. Nothing here knows any
kind. Each rule has a message that says what is wrong in the reader's words, and where it can a field to point at.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NotRequired, TypedDict, cast

from pydantic import BaseModel
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

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


def unchanged(field: str, *, when_absent: Literal["cannot be", "unset", "empty"] = "unset") -> str:
    """The expression for a field that is as it was; one that is absent may mean the same as an empty list or map.

    Not written with CEL's optional values: of those the API server cannot estimate the cost, and refuses the rule.
    """
    equal = f"self.{field} == oldSelf.{field}"
    if when_absent == "cannot be":
        return equal
    if when_absent == "unset":
        return f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {equal})"
    return (
        f"has(self.{field})"
        f" ? (has(oldSelf.{field}) ? {equal} : size(self.{field}) == 0)"
        f" : (!has(oldSelf.{field}) || size(oldSelf.{field}) == 0)"
    )


def exactly_one_of(*fields: str) -> str:
    """The expression for exactly one of the fields being set."""
    return "[" + ", ".join(f"has(self.{field})" for field in fields) + "].exists_one(is_set, is_set)"


def validated_by(*rules: Rule) -> JsonDict:
    """The `json_schema_extra` of a model or field that the rules guard."""
    return {RULES: [cast("JsonDict", {**each}) for each in rules]}


def frozen_except(mutable: frozenset[str], where: str, *rules: Rule) -> Callable[[JsonDict, type[BaseModel]], None]:
    """As `validated_by`, with one more rule for each of the model's fields but the mutable ones: it never changes."""

    def freeze(schema: JsonDict, model: type[BaseModel]) -> None:
        frozen = [
            rule(
                unchanged(name, when_absent=_absence(field)),
                f"{where}.{name} is immutable: create a new job instead",
                field=name,
                reason="FieldValueForbidden",
            )
            for name, field in ((field.alias or name, field) for name, field in model.model_fields.items())
            if name not in mutable
        ]
        schema.update(validated_by(*rules, *frozen))

    return freeze


def _absence(field: FieldInfo) -> Literal["cannot be", "unset", "empty"]:
    """What it means that a field is absent; one with a default that says something never is."""
    if field.default in ([], {}):
        return "empty"
    return "unset" if field.default is None else "cannot be"
