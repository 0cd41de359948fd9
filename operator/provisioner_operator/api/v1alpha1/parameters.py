"""Parameters: what a template lets its workspaces choose, and what a workspace chose.

No field of theirs has a default that the API server writes: who applies a list on the client's side, as Argo CD compares
it, would find it changed for ever.
Values are text, as in Coder: a number as one writes it, `true` or `false`, a list of strings as JSON. What these rules
can check, the API server checks when the object is written; the rest is the controller's (`core.parameters`).
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model, ShortText
from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.api.v1alpha1.inputs import VariableName
from provisioner_operator.api.v1alpha1.rules import rule, validated_by

ParameterText = Annotated[str, StringConstraints(max_length=4096)]

_IS_NUMBER = "matches('^-?[0-9]+([.][0-9]+)?$')"


def _is(type_: ParameterType) -> str:
    """CEL: whether the parameter's type is this one, which is not the one where it is absent."""
    return f"(has(self.type) && self.type == '{type_}')"


def _of_type(value: str) -> str:
    """CEL: whether the expression, a text, is of the parameter's type. A list is looked at by the controller."""
    return (
        f"({_is(ParameterType.NUMBER)} ? {value}.{_IS_NUMBER} : "
        f"{_is(ParameterType.BOOL)} ? {value} in ['true', 'false'] : true)"
    )


class ParameterOption(Model):
    """One value to choose from."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """What people see."""
    value: Annotated[str, StringConstraints(max_length=512)]
    """What the template gets."""
    description: ShortText | None = None
    """What it means."""


class ParameterValidation(Model):
    """What a value must be like."""

    regex: Annotated[str, StringConstraints(max_length=512)] | None = None
    """A string has to contain a match of this regular expression (RE2)."""
    error: ShortText | None = None
    """What to say of a string that has none."""
    min: int | None = None
    """The least number."""
    max: int | None = None
    """The greatest number."""


class Parameter(Model):
    """Something that a workspace chooses. Terraform gets it as the variable, and the `coder_parameter`, of its name."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"!has(self.default) || {_of_type('self.default')}",
                "the default is not of the parameter's type",
                field="default",
            ),
            rule(
                f"!has(self.options) || self.options.all(each, {_of_type('each.value')})",
                "an option's value is not of the parameter's type",
                field="options",
            ),
            rule(
                "!has(self.default) || !has(self.options) || self.options.size() == 0"
                f" || {_is(ParameterType.LIST)} || self.options.exists(each, each.value == self.default)",
                "the default is none of the options",
                field="default",
            ),
            rule(
                f"!has(self.validation) || !has(self.validation.regex) || !has(self.type)"
                f" || self.type == '{ParameterType.STRING}'",
                "validation.regex is for type string",
                field="validation",
            ),
            rule(
                "!has(self.validation) || !(has(self.validation.min) || has(self.validation.max))"
                f" || {_is(ParameterType.NUMBER)}",
                "validation.min and validation.max are for type number",
                field="validation",
            ),
        )
    )

    name: VariableName
    """The name of the variable."""
    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """What people see instead."""
    description: ShortText | None = None
    """What it is for."""
    type: ParameterType | None = None
    """What a value is: string (where absent), number, bool or list(string)."""
    default: ParameterText | None = None
    """The value of a workspace that chooses none. Without a default it has to choose."""
    mutable: bool | None = None
    """Whether it may change once the workspace was built; it may not where this is absent."""
    options: Annotated[
        list[ParameterOption],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """The values to choose from; any is good where there are none."""
    validation: ParameterValidation | None = None
    """What a value must be like."""


class ParameterValue(Model):
    """What a workspace chose."""

    name: VariableName
    """The parameter."""
    value: ParameterText
    """Its value: a number as one writes it, true or false, a list of strings as JSON."""
