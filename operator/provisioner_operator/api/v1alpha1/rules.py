"""Building blocks of the validation rules (CEL) that the API server evaluates at every write, also of the status alone.

The models attach rules through `json_schema_extra`; the generator copies them into the CRDs. This module must not know
any kind. Each rule has a message that describes the problem and, where possible, the field at which it is reported.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NotRequired, TypedDict, cast

from pydantic import BaseModel
from pydantic.config import JsonDict

RULES = "x-kubernetes-validations"
IMMUTABLE = "self == oldSelf"
"""Rule of a field that never changes. It is not evaluated when the field is added or removed."""

Reason = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"]


class Rule(TypedDict):
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str
    messageExpression: NotRequired[str]
    reason: Reason
    fieldPath: NotRequired[str]
    optionalOldSelf: NotRequired[bool]
    """Whether `oldSelf` is an optional value, so that the rule is evaluated at creation too."""


def rule(
    expression: str,
    message: str,
    *,
    field: str | None = None,
    reason: Reason = "FieldValueInvalid",
    message_expression: str | None = None,
) -> Rule:
    """Build a rule: unless `expression` holds, the write is refused with `message` at the (relative) `field`."""
    written = Rule(rule=expression, message=message, reason=reason)
    if message_expression is not None:
        written["messageExpression"] = message_expression
    if field is not None:
        written["fieldPath"] = f".{field}"
    return written


def at_creation(each: Rule) -> Rule:
    """Build the rule that holds at creation, of what does not change afterwards.

    The API server evaluates all rules at each write, and builds maps of all fields of an object for each field that a rule names.
    """
    return {**each, "rule": f"oldSelf.hasValue() || ({each['rule']})", "optionalOldSelf": True}


def of_the_name(expression: str, message: str) -> Rule:
    """Build the rule of an object's name, which never changes."""
    return at_creation(rule(expression, message, field="metadata.name"))


def after_creation(each: Rule) -> Rule:
    """Build the rule of what an object does not have while it is being created, such as its status."""
    return {**each, "rule": f"!oldSelf.hasValue() || {each['rule']}", "optionalOldSelf": True}


def one_of(values: Iterable[str]) -> str:
    """Build the CEL list of the values, in a fixed order, as the right-hand side of `in`."""
    return "[" + ", ".join(f"'{value}'" for value in sorted(values)) + "]"


def unchanged(field: str) -> str:
    """Build the expression that a field has kept its value, or is still absent.

    It does without CEL's optional values: the API server cannot estimate their cost, and refuses the rule.
    """
    both = f"has(self.{field}) && has(oldSelf.{field})"
    return f"({both} ? self.{field} == oldSelf.{field} : {_as_absent(field)})"


def exactly_one_of(*fields: str) -> str:
    """Build the expression that exactly one of the fields is set."""
    return "[" + ", ".join(f"has(self.{field})" for field in fields) + "].exists_one(is_set, is_set)"


def validated_by(*rules: Rule) -> JsonDict:
    """Build the `json_schema_extra` of a model or field with these rules."""
    return {RULES: [cast("JsonDict", {**each}) for each in rules]}


def frozen_except(mutable: frozenset[str], where: str, *rules: Rule) -> Callable[[JsonDict, type[BaseModel]], None]:
    """Build the `json_schema_extra` of a model with these rules of frozen fields; only the mutable fields ever change.

    Each field has a rule that compares it, at almost no cost for the API server. A rule of the whole model costs two maps
    of all fields for each field that it names, at every write. So such a rule checks only the presence of optional
    fields, and the others are evaluated at creation. Empty lists and maps are stored, so that absent ones need no rule.
    """

    def freeze(schema: JsonDict, model: type[BaseModel]) -> None:
        properties = cast("dict[str, JsonDict]", schema["properties"])
        optional: list[str] = []
        for name, field in ((field.alias or name, field) for name, field in model.model_fields.items()):
            if name in mutable:
                continue
            frozen = f"{where}.{name} is immutable: create a new job instead"
            _add_rules(properties[name], rule(IMMUTABLE, frozen, reason="FieldValueForbidden"))
            if field.default in ([], {}):
                properties[name]["default"] = field.default
            elif field.default is None:
                optional.append(name)
        _add_rules(
            schema, *map(at_creation, rules), *([_neither_added_nor_removed(where, optional)] if optional else [])
        )

    return freeze


def _add_rules(schema: JsonDict, *rules: Rule) -> None:
    """Append the rules to those that the schema has, directly or by reference."""
    known = cast("list[JsonDict]", schema.get(RULES, []))
    schema[RULES] = [*known, *(cast("JsonDict", {**each}) for each in rules)]


def _neither_added_nor_removed(where: str, fields: Sequence[str]) -> Rule:
    """Build one rule for all the fields; its message names the field that was added or removed."""
    *others, last = fields
    named = "".join(f"has(self.{field}) != has(oldSelf.{field}) ? '{field}' : " for field in others) + f"'{last}'"
    ending = "is immutable, and can be neither added nor removed: create a new job instead"
    return rule(
        f"dyn(self).size() == dyn(oldSelf).size() || ({' && '.join(_as_absent(field) for field in fields)})",
        f"an optional field of {where} {ending}",
        reason="FieldValueForbidden",
        message_expression=f"'{where}.' + ({named}) + ' {ending}'",
    )


def _as_absent(field: str) -> str:
    return f"has(self.{field}) == has(oldSelf.{field})"
