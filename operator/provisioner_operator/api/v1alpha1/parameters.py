"""Parameters that a template offers, and the values that a workspace chooses.

The API server writes no defaults into them: a tool that compares lists on the client's side, such as Argo CD, would
show them as changed forever. Values are text, as in Coder: a number in decimal notation, `true` or `false`, or a list
of strings as JSON. These rules cover what the API server can check when the object is written; the controller checks
the rest (`core.workspaces.parameters`).
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model, ShortText
from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.api.v1alpha1.inputs import VariableName
from provisioner_operator.api.v1alpha1.rules import Rule, rule, validated_by

ParameterText = Annotated[str, StringConstraints(max_length=4096)]

_IS_NUMBER = "matches('^-?[0-9]+([.][0-9]+)?$')"
_JSON_STRING = r'"([^"\\\\\\x00-\\x1f]|\\\\["\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4})*"'
_IS_LIST = rf"matches('^\\s*\\[\\s*({_JSON_STRING}(\\s*,\\s*{_JSON_STRING})*)?\\s*\\]\\s*$')"
_TYPES = "use a number such as 1 or -0.5 for number, true or false for bool"


def _is(type_: ParameterType) -> str:
    """Build the CEL condition that the parameter has this type, which must not be the default."""
    return f"(has(self.type) && self.type == '{type_}')"


def _of_type(value: str) -> str:
    """Build the CEL condition that a text fits the parameter's type, unless that is a list."""
    return (
        f"({_is(ParameterType.NUMBER)} ? {value}.{_IS_NUMBER} : "
        f"{_is(ParameterType.BOOL)} ? {value} in ['true', 'false'] : true)"
    )


def _in_bounds(value: str) -> str:
    """Build the CEL condition that a text is no number beyond the parameter's bounds."""
    return (
        f"(!{value}.{_IS_NUMBER} || !has(self.validation)"
        f" || (!has(self.validation.min) || double({value}) >= double(self.validation.min))"
        f" && (!has(self.validation.max) || double({value}) <= double(self.validation.max)))"
    )


def _parameter_rule(expression: str, problem: str, field: str) -> Rule:
    """Build a rule of a parameter whose message begins with the parameter's name."""
    return rule(expression, problem, field=field, message_expression=f"'parameter ' + self.name + ': {problem}'")


class ParameterOption(Model):
    """One of the values to choose from."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """Label that people see."""
    value: Annotated[str, StringConstraints(max_length=512)]
    """The value that the template gets."""
    description: ShortText | None = None
    """Meaning of the value, for people."""


Regex = Annotated[
    str,
    StringConstraints(max_length=512),
    Field(
        json_schema_extra=validated_by(
            rule(
                # An invalid expression makes neither, but an error, to which the API server adds this message.
                "''.matches(self) in [true, false]",
                "validation.regex is not a valid RE2 regular expression, which has neither lookaround nor backreferences",
            )
        )
    ),
]


class ParameterValidation(Model):
    """Constraints on the value."""

    regex: Regex | None = None
    """Regular expression (RE2) of which a string must contain a match."""
    error: ShortText | None = None
    """Message for a string without a match."""
    min: int | None = None
    """The smallest number allowed."""
    max: int | None = None
    """The largest number allowed."""


class Parameter(Model):
    """A value that a workspace chooses, passed to Terraform as the variable and `coder_parameter` of the same name."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            _parameter_rule(
                f"!has(self.default) || {_of_type('self.default')}", f"default does not fit type: {_TYPES}", "default"
            ),
            _parameter_rule(
                f"!has(self.default) || !{_is(ParameterType.LIST)} || self.default.{_IS_LIST}",
                "default does not fit type: use a JSON list of strings for list(string)",
                "default",
            ),
            _parameter_rule(
                f"!has(self.options) || self.options.all(each, {_of_type('each.value')})",
                f"the value of an option does not fit type: {_TYPES}",
                "options",
            ),
            _parameter_rule(
                "!has(self.validation) || !has(self.validation.min) || !has(self.validation.max)"
                " || self.validation.min <= self.validation.max",
                "validation.min is above validation.max",
                "validation",
            ),
            _parameter_rule(
                f"!has(self.default) || !{_is(ParameterType.NUMBER)} || {_in_bounds('self.default')}",
                "default is outside validation.min and validation.max",
                "default",
            ),
            _parameter_rule(
                f"!has(self.options) || !{_is(ParameterType.NUMBER)}"
                f" || self.options.all(each, {_in_bounds('each.value')})",
                "the value of an option is outside validation.min and validation.max",
                "options",
            ),
            _parameter_rule(
                "!has(self.default) || !has(self.options) || self.options.size() == 0"
                f" || {_is(ParameterType.LIST)} || self.options.exists(each, each.value == self.default)",
                "default is not among the values of options",
                "default",
            ),
            _parameter_rule(
                f"!has(self.validation) || !has(self.validation.regex) || !has(self.type)"
                f" || self.type == '{ParameterType.STRING}'",
                "validation.regex requires type string",
                "validation",
            ),
            _parameter_rule(
                "!has(self.validation) || !(has(self.validation.min) || has(self.validation.max))"
                f" || {_is(ParameterType.NUMBER)}",
                "validation.min and validation.max require type number",
                "validation",
            ),
        )
    )

    name: VariableName
    """Name of the parameter and of the Terraform variable."""
    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Label that people see instead of the name."""
    description: ShortText | None = None
    """Its purpose."""
    type: ParameterType | None = None
    """Type of the value: string (the default), number, bool or list(string)."""
    default: ParameterText | None = None
    """Value for a workspace that chooses none. Without a default, each workspace must choose one."""
    mutable: bool | None = None
    """True if the value may change after the workspace was built; false by default."""
    options: Annotated[
        list[ParameterOption],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Values to choose from; any value is allowed if there are none."""
    validation: ParameterValidation | None = None
    """Constraints on the value."""


class RecordedOption(Model):
    """One of the values to choose from, as a version records it."""

    value: Annotated[str, StringConstraints(max_length=512)]
    """The value that the template gets."""


class RecordedValidation(Model):
    """Constraints on the value, as a version records them."""

    regex: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Regular expression (RE2) of which a string must contain a match."""
    error: ShortText | None = None
    """Message for a string without a match."""
    min: int | None = None
    """The smallest number allowed."""
    max: int | None = None
    """The largest number allowed."""


class RecordedParameter(Model):
    """A parameter as a version records it. It has no rules: the template's were checked when it was written."""

    name: Annotated[str, StringConstraints(max_length=128)]
    """Name of the parameter."""
    type: ParameterType = ParameterType.STRING
    """Type of the value."""
    default: ParameterText | None = None
    """Value for a workspace that chooses none."""
    mutable: bool = False
    """True if the value may change after the workspace was built."""
    options: Annotated[
        list[RecordedOption], Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Values to choose from; any value is allowed if there are none."""
    validation: RecordedValidation | None = None
    """Constraints on the value."""


class ParameterValue(Model):
    """A value that a workspace chose."""

    name: VariableName
    """Name of the parameter."""
    value: ParameterText
    """Its value: text, a number such as 1 or -0.5, true or false, or a list of strings as JSON."""
