"""Faults of templates whose files are valid."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.workspaces.records import Parameter
from provisioner_operator.core.workspaces.template_faults import template_faults
from support.builders.workspaces import a_template, a_version

NUMBER, BOOL, LIST, STRING = ParameterType.NUMBER, ParameterType.BOOL, ParameterType.LIST, ParameterType.STRING


@pytest.mark.parametrize(
    ("parameter", "says"),
    [
        (Parameter("size", NUMBER, minimum=8, maximum=1), "validation.min is 8, above validation.max, which is 1."),
        (Parameter("size", NUMBER, default="9", maximum=8), "its default '9' does not fit: it must be at most 8."),
        (Parameter("size", NUMBER, default="0", minimum=1), "its default '0' does not fit: it must be at least 1."),
        (Parameter("size", NUMBER, default="x"), "its default 'x' does not fit: it must be a number"),
        (Parameter("size", BOOL, default="yes"), "its default 'yes' does not fit: it must be true or false."),
        (Parameter("size", default="c", options=("a", "b")), "it is not one of the options 'a', 'b'."),
        (Parameter("size", LIST, default="a,b"), "its default 'a,b' does not fit: it must be a JSON list of strings"),
        (Parameter("size", LIST, default='["c"]', options=("a",)), "'c' is not one of the options 'a'."),
        (Parameter("size", NUMBER, options=("1", "9"), maximum=8), "option '9' does not fit: it must be at most 8."),
        (Parameter("size", options=("a", "B"), regex="^[a-z]$"), "option 'B' does not fit: it must match ^[a-z]$."),
        (Parameter("size", default="B", regex="^[a-z]$", error="small"), "its default 'B' does not fit: small."),
        (Parameter("provisioner_owner"), "no workspace can choose its value"),
        (Parameter("size", regex="(["), "validation.regex '([' is not a regular expression of RE2 ("),
        (Parameter("size", default="a", regex="^(?!-)[a-z-]+$"), "is not a regular expression of RE2 ("),
    ],
    ids=str,
)
def test_a_parameter_that_no_workspace_can_use_is_named(parameter: Parameter, says: str) -> None:
    [fault] = template_faults(a_template(), a_version(parameters=(parameter,)), [])

    assert fault.startswith(f"Parameter {parameter.name}: ")
    assert says in fault


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("size"),
        Parameter("size", NUMBER, default="4", options=("4", "8"), minimum=4, maximum=8),
        Parameter("size", LIST, default='["a"]', options=("a", "b")),
        Parameter("size", default="", regex="^[a-z]*$"),
    ],
    ids=str,
)
def test_a_parameter_that_can_be_used_has_no_fault(parameter: Parameter) -> None:
    assert template_faults(a_template(), a_version(parameters=(parameter,)), []) == ()


@pytest.mark.parametrize(
    ("parameter", "variable", "fits"),
    [
        (STRING, "string", True),
        (STRING, "any", True),
        (STRING, "number", False),
        (STRING, "bool", False),
        (STRING, "map(string)", True),  # the value is an expression
        (NUMBER, "number", True),
        (NUMBER, "string", True),
        (NUMBER, "bool", False),
        (NUMBER, "list(string)", False),
        (BOOL, "bool", True),
        (BOOL, "number", False),
        (LIST, "list(string)", True),
        (LIST, "set(string)", True),
        (LIST, "string", True),
        (LIST, "map(string)", False),
        (LIST, "number", False),
    ],
)
def test_a_variable_has_to_take_the_values_of_its_parameter(
    parameter: ParameterType, variable: str, *, fits: bool
) -> None:
    faults = template_faults(
        a_template(), a_version(parameters=(Parameter("size", parameter),)), [{"name": "size", "type": variable}]
    )

    wanted = f"Parameter size has type {parameter}, but the variable of its name has type {variable}."
    assert faults == (() if fits else (wanted,))


def test_a_variable_without_a_type_takes_every_value() -> None:
    assert template_faults(a_template(), a_version(parameters=(Parameter("size", NUMBER),)), [{"name": "size"}]) == ()


def test_a_required_variable_that_nothing_sets_is_named() -> None:
    token: dict[str, Any] = {"name": "token", "type": "string", "required": True}
    own: dict[str, Any] = {"name": "provisioner_owner", "required": True}
    optional: dict[str, Any] = {"name": "region", "required": False}

    [fault] = template_faults(a_template(), a_version(), [token, own, optional])

    assert fault.startswith("Variable token is required, but nothing sets it: add a parameter")
    assert template_faults(a_template(), a_version(parameters=(Parameter("token"),)), [token]) == ()
    assert template_faults(a_template(variables=({"name": "token", "value": "x"},)), a_version(), [token]) == ()
    assert template_faults(a_template(variables_from=({"secretRef": {"name": "cloud"}},)), a_version(), [token]) == ()
    assert template_faults(a_template(), a_version(variables=({"name": "token", "value": "x"},)), [token]) == ()
