"""Settings of the program that runs a job: the versions that may run it, and how many operations it carries out at once."""

from typing import Annotated

from pydantic import Field, StringConstraints

from provisioner_operator.api.v1alpha1.rules import rule, validated_by

_CONDITION = " *(=|!=|>|>=|<|<=|~>)? *[0-9]+([.][0-9]+){0,2} *"
"""One condition in the syntax of Terraform's `required_version`, which knows no pre-releases."""

VersionConstraint = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    Field(
        json_schema_extra=validated_by(
            rule(
                f"self.matches('^{_CONDITION}(,{_CONDITION})*$')",
                "terraformVersion is no version constraint: write conditions with =, !=, >, >=, <, <= or ~>, separated by commas, "
                "as in `>= 1.9, < 2` or `~> 1.11.0`",
            )
        )
    ),
]
"""Conditions that a version of Terraform or OpenTofu has to meet."""
Parallelism = Annotated[int, Field(ge=1, le=256)]
"""Operations on resources at once. Each may be a process, or a request that counts towards a cloud's limit."""
