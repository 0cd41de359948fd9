"""Resolve a workspace's parameters: combine chosen values and defaults, and check them against a template's version.

A list of strings is JSON, a number is decimal, a bool is `true` or `false`, as Coder's provider reads them. Regular
expressions are RE2's, as Coder's: whatever a template contains, the time of a match grows only with the text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import re2

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.workspaces.records import Parameter, ParameterValues

_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?", re.ASCII)
"""Format of a number, as in the policy workspace-parameters.provisioner.dev."""
_LONGEST_SHOWN = 64
"""Characters of a value that a message repeats."""


def parameter_json(parameter: Parameter) -> JsonObject:
    """Return the parameter as a version records it: without what only people read."""
    rules = {
        "regex": parameter.regex,
        "error": parameter.error,
        "min": parameter.minimum,
        "max": parameter.maximum,
    }
    validation: JsonObject = {name: value for name, value in rules.items() if value is not None}
    return {
        "name": parameter.name,
        "type": parameter.type,
        "mutable": parameter.mutable,
        **({} if parameter.default is None else {"default": parameter.default}),
        **({"options": [{"value": each} for each in parameter.options]} if parameter.options else {}),
        **({"validation": validation} if validation else {}),
    }


@dataclass(frozen=True, slots=True)
class Resolution:
    """All values, or the problems, each a sentence."""

    values: ParameterValues = ()
    problems: tuple[str, ...] = ()


def resolve(parameters: Sequence[Parameter], chosen: ParameterValues, built: ParameterValues) -> Resolution:
    """Return the values of a build; immutable parameters keep those of the build before, `built`."""
    known = {each.name for each in parameters}
    problems = [
        f"The version has no parameter {name}; its parameters are: {', '.join(sorted(known)) or 'none'}."
        for name, _ in chosen
        if name not in known
    ]
    choices, former = dict(chosen), dict(built)
    values: dict[str, str] = {}
    for parameter in parameters:
        value = _value(parameter, choices, former)
        if value is None:
            problems.append(
                f"{parameter.name} has no value, and the template sets no default: set it in spec.parameters."
            )
        elif not parameter.mutable and former.get(parameter.name, value) != value:
            problems.append(
                f"{parameter.name} cannot change after the first build: it was {_shown(former[parameter.name])}. "
                "Set it back, or create another workspace."
            )
        elif (problem := problem_of_value(parameter, value)) is not None:
            problems.append(f"{parameter.name} is {_shown(value)}: {problem}.")
        else:
            values[parameter.name] = value
    return Resolution(tuple(sorted(values.items())), tuple(problems))


def _value(parameter: Parameter, choices: Mapping[str, str], former: Mapping[str, str]) -> str | None:
    if (chosen := choices.get(parameter.name)) is not None:
        return chosen
    # A default that the template changes later must not change an immutable value of an existing workspace.
    return parameter.default if parameter.mutable else former.get(parameter.name, parameter.default)


def problem_of_option(parameter: Parameter, option: str) -> str | None:
    """Return why nobody could choose this option of the parameter; None if somebody could."""
    if parameter.type is ParameterType.LIST:
        return None  # it is an item of the list
    return problem_of_value(replace(parameter, options=()), option)


def problem_of_value(parameter: Parameter, value: str) -> str | None:
    """Return why the parameter cannot have this value; None if it can."""
    match parameter.type:
        case ParameterType.NUMBER:
            return _problem_of_number(parameter, value)
        case ParameterType.BOOL:
            return None if value in {"true", "false"} else "it must be true or false"
        case ParameterType.LIST:
            return _problem_of_list(parameter, value)
        case _:
            return _problem_of_string(parameter, value) or _problem_of_choice(parameter, value)


def _problem_of_number(parameter: Parameter, value: str) -> str | None:
    if not _NUMBER.fullmatch(value):
        return "it must be a number, like 4 or -0.5"
    number = float(value)
    if parameter.minimum is not None and number < parameter.minimum:
        return f"it must be at least {parameter.minimum}"
    if parameter.maximum is not None and number > parameter.maximum:
        return f"it must be at most {parameter.maximum}"
    return _problem_of_choice(parameter, value)


def _problem_of_list(parameter: Parameter, value: str) -> str | None:
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return 'it must be a JSON list of strings, like ["a", "b"]'
    if parameter.options and (others := [item for item in items if item not in parameter.options]):
        return f"{_shown(others[0])} is not one of the options {_listed(parameter.options)}"
    return None


def _problem_of_string(parameter: Parameter, value: str) -> str | None:
    if parameter.regex is None:
        return None
    try:
        found = re2.search(parameter.regex, value)
    except re2.error as error:
        return f"the template's regular expression {parameter.regex!r} is invalid ({error}); fix the template"
    return None if found else (parameter.error or f"it must match {parameter.regex}")


def _problem_of_choice(parameter: Parameter, value: str) -> str | None:
    if not parameter.options or value in parameter.options:
        return None
    return f"it is not one of the options {_listed(parameter.options)}"


def _listed(options: Sequence[str]) -> str:
    return ", ".join(_shown(option) for option in options)


def _shown(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else value[: _LONGEST_SHOWN - 1] + "…")
