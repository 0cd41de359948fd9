"""Find what is wrong with a template whose files are valid: parameters that no value can fit, or that its variables refuse.

Called when an import has completed, with the variables that it found. The API server's rules refuse most faults of a
parameter alone already when the template is written; the rest shows only here, and not first at somebody's workspace.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import re2

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.workspaces.parameters import problem_of_option, problem_of_value
from provisioner_operator.core.workspaces.records import Parameter, Template, Version

OWN_VARIABLES = frozenset(
    f"provisioner_{name}"
    for name in ("transition", "workspace", "namespace", "owner", "build_number", "template", "template_version")
)
"""Variables that every run gets: they describe its job."""
_ANY = "any"
_SIMPLE = frozenset({"string", "number", "bool"})
_COLLECTIONS = ("list", "set", "tuple")


def template_faults(template: Template, version: Version, variables: Sequence[JsonObject]) -> tuple[str, ...]:
    """Return the faults of a version that declares these variables, each a sentence."""
    declared = {str(each["name"]): each for each in variables}
    found = [fault for each in version.parameters for fault in _faults_of(each, declared.get(each.name))]
    if not template.variables_from:  # of the keys of a Secret nothing is known
        # As in a build: the template may have lost variables of a version that was superseded during its import.
        fixed = {str(each["name"]) for each in (*template.variables, *version.variables)}
        found += _unset(declared.values(), {each.name for each in version.parameters} | fixed | OWN_VARIABLES)
    return tuple(found)


def _faults_of(parameter: Parameter, variable: JsonObject | None) -> list[str]:
    """Return the faults of one parameter; those that follow from an earlier one are left out."""
    name = f"Parameter {parameter.name}"
    if parameter.name in OWN_VARIABLES:
        return [
            f"{name}: no workspace can choose its value, since each run gets a variable of this name that describes its job."
        ]
    if parameter.regex is not None and (error := _regex_error(parameter.regex)) is not None:
        return [f"{name}: validation.regex {parameter.regex!r} is not a regular expression of RE2 ({error})."]
    least, most = parameter.minimum, parameter.maximum
    if least is not None and most is not None and least > most:
        return [f"{name}: validation.min is {least}, above validation.max, which is {most}."]
    found = [
        f"{name}: option {option!r} does not fit: {problem}."
        for option in parameter.options
        if (problem := problem_of_option(parameter, option)) is not None
    ]
    if parameter.default is not None and (problem := problem_of_value(parameter, parameter.default)) is not None:
        found.append(f"{name}: its default {parameter.default!r} does not fit: {problem}.")
    if variable is not None and not _takes(type_ := str(variable.get("type", _ANY)), parameter.type):
        found.append(f"{name} has type {parameter.type}, but the variable of its name has type {type_}.")
    return found


def _takes(variable: str, parameter: ParameterType) -> bool:
    """Return whether a variable of this type takes the values of a parameter.

    Terraform converts text; text for a variable of another type than string, number and bool may be any expression.
    """
    if variable in {_ANY, "string", parameter}:
        return True
    if parameter is ParameterType.LIST:
        return variable.startswith(_COLLECTIONS)
    return parameter is ParameterType.STRING and variable not in _SIMPLE


def _unset(variables: Iterable[JsonObject], names: AbstractSet[str]) -> list[str]:
    return [
        f"Variable {each['name']} is required, but nothing sets it: add a parameter or an entry of spec.variables of its "
        "name, or a default in the Terraform code."
        for each in variables
        if each.get("required") and each["name"] not in names
    ]


def _regex_error(regex: str) -> str | None:
    try:
        re2.compile(regex)
    except re2.error as error:
        return str(error)
    return None
