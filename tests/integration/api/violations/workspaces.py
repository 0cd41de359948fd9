"""Templates with their parameters, and workspaces."""

from typing import Any

from integration.api.violations.jobs import NO_CONSTRAINT
from integration.api.violations.row import Creation
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.manifests import Manifest


def _parameter(**parameter: Any) -> Manifest:
    return a_template_manifest(parameters=[{"name": "size"} | parameter])


def _options(*values: str) -> list[Manifest]:
    return [{"name": value, "value": value} for value in values]


_LIST = "list(string)"
TEMPLATE_ROWS = (
    *(
        Creation(
            "metadata.name of a template has at most 45 characters and no dot, because its jobs are named after it",
            a_template_manifest(name),
            "metadata.name",
        )
        for name in ("n" * 46, "a.b")
    ),
    Creation(NO_CONSTRAINT, a_template_manifest(terraformVersion="latest"), "spec.terraformVersion"),
    Creation(
        "default does not fit type: use a number such as 1 or -0.5 for number, true or false for bool",
        _parameter(type="number", default="large"),
        "spec.parameters[0].default",
    ),
    Creation(
        "default does not fit type: use a number such as 1 or -0.5 for number, true or false for bool",
        _parameter(type="bool", default="yes"),
        "spec.parameters[0].default",
    ),
    *(
        Creation(
            "the value of an option does not fit type: use a number such as 1 or -0.5 for number, true or false for bool",
            _parameter(type=type_, options=[{"name": "Good", "value": good}, {"name": "Bad", "value": "large"}]),
            "spec.parameters[0].options",
        )
        for type_, good in (("number", "1"), ("bool", "true"))
    ),
    *(
        Creation(
            "default does not fit type: use a JSON list of strings for list(string)",
            _parameter(type=_LIST, default=default),
            "spec.parameters[0].default",
        )
        for default in ("a, b", "[1]", '["a"')
    ),
    Creation(
        "validation.min is above validation.max",
        _parameter(type="number", validation={"min": 2, "max": 1}),
        "spec.parameters[0].validation",
    ),
    *(
        Creation(
            "default is outside validation.min and validation.max",
            _parameter(type="number", default=default, validation={"min": -1, "max": 8}),
            "spec.parameters[0].default",
        )
        for default in ("-1.5", "8.5")
    ),
    *(
        Creation(
            "the value of an option is outside validation.min and validation.max",
            _parameter(type="number", validation={"min": 2, "max": 8}, options=_options("4", value)),
            "spec.parameters[0].options",
        )
        for value in ("1", "10")
    ),
    *(
        Creation(
            "validation.regex is not a valid RE2 regular expression, which has neither lookaround nor backreferences",
            _parameter(validation={"regex": regex}),
            "spec.parameters[0].validation.regex",
        )
        for regex in ("([", "^(?!-)[a-z-]+$", r"(a)\1", "a{1001}")
    ),
    *(
        Creation(
            "default is not among the values of options",
            _parameter(default="small", options=[{"name": "Large", "value": "large"}], **type_),
            "spec.parameters[0].default",
        )
        for type_ in ({}, {"type": "string"})
    ),
    Creation(
        "validation.regex requires type string",
        _parameter(type="bool", validation={"regex": "a"}),
        "spec.parameters[0].validation",
    ),
    *(
        Creation(
            "validation.min and validation.max require type number",
            _parameter(validation=bound, **type_),
            "spec.parameters[0].validation",
        )
        for type_ in ({"type": _LIST}, {})
        for bound in ({"min": 3}, {"max": 3})
    ),
)
WORKSPACE_ROWS = (
    *(
        Creation(
            "metadata.name of a workspace has at most 53 characters and no dot, because its jobs are named after it",
            a_workspace_manifest(name),
            "metadata.name",
        )
        for name in ("n" * 54, "a.b")
    ),
    Creation(
        "values of parameters are larger than 128 KiB in total: shorten them",
        a_workspace_manifest(
            parameters=[{"name": f"p{number}", "value": "x" * size} for number, size in enumerate([4096] * 32 + [1])]
        ),
        "spec.parameters",
    ),
)
