"""The form in which a user chooses a workspace's parameters, made from its template. Pure.

A list of strings is one item a line here, and JSON in the workspace.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.api.v1alpha1.parameters import Parameter

PREFIX = "parameter-"
"""Beginning of a field's name: whatever a parameter is called, it is none of the form's own fields."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values to choose from."""

    label: str
    value: str
    chosen: bool
    description: str


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter in the form."""

    name: str
    label: str
    description: str
    kind: str
    """`choice`, `text`, `number`, `bool` or `list`."""
    value: str
    options: tuple[Option, ...] = ()
    required: bool = False
    fixed: bool = False
    """Whether it can be changed no more, since the workspace was built with it."""
    minimum: int | None = None
    maximum: int | None = None
    hint: str = ""


def fields_of(
    parameters: Sequence[Parameter], chosen: Mapping[str, str], built: Mapping[str, str] | None
) -> tuple[Field, ...]:
    """Return the fields of the form; `built` are the values of the last build, None if there was none."""
    return tuple(_field(each, chosen, built) for each in parameters)


def values_of(
    parameters: Sequence[Parameter], sent: Mapping[str, str], chosen: Mapping[str, str], built: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the values that differ from the current ones; an unchecked box is not sent, and means `false`."""
    current = {**(built or {}), **chosen}
    found: dict[str, str] = {}
    for each in parameters:
        if _is_fixed(each, built):
            continue
        value = _value(each, sent.get(PREFIX + each.name))
        if value is not None and value != current.get(each.name, each.default):
            found[each.name] = value
    return found


def _field(parameter: Parameter, chosen: Mapping[str, str], built: Mapping[str, str] | None) -> Field:
    value = chosen.get(parameter.name, (built or {}).get(parameter.name, parameter.default or ""))
    rules = parameter.validation
    type_ = parameter.type or ParameterType.STRING
    return Field(
        name=PREFIX + parameter.name,
        label=parameter.display_name or parameter.name,
        description=parameter.description or "",
        kind=_kind(parameter, type_),
        value=_as_lines(value) if type_ is ParameterType.LIST else value,
        options=tuple(
            Option(each.name, each.value, each.value == value, each.description or "") for each in parameter.options
        ),
        required=parameter.default is None,
        fixed=_is_fixed(parameter, built),
        minimum=rules.min if rules else None,
        maximum=rules.max if rules else None,
        hint=(rules.error or (f"Must match {rules.regex}" if rules.regex else "")) if rules else "",
    )


def _is_fixed(parameter: Parameter, built: Mapping[str, str] | None) -> bool:
    return not parameter.mutable and built is not None and parameter.name in built


def _kind(parameter: Parameter, type_: ParameterType) -> str:
    if parameter.options and type_ is not ParameterType.LIST:
        return "choice"
    return {ParameterType.NUMBER: "number", ParameterType.BOOL: "bool", ParameterType.LIST: "list"}.get(type_, "text")


def _value(parameter: Parameter, sent: str | None) -> str | None:
    type_ = parameter.type or ParameterType.STRING
    if type_ is ParameterType.BOOL and not parameter.options:
        return "true" if sent == "true" else "false"
    if sent is None:
        return None
    if type_ is ParameterType.LIST:
        return json.dumps([line for line in sent.replace("\r", "").split("\n") if line])
    # An empty field of a parameter with a default is no choice.
    return sent if sent or parameter.default is None else None


def _as_lines(value: str) -> str:
    try:
        items = json.loads(value or "[]")
    except (ValueError, RecursionError):
        return value
    return "\n".join(map(str, items)) if isinstance(items, list) else value
