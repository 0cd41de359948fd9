"""What a job's run is made of: Terraform files and the values of input variables."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName
from provisioner_operator.api.v1alpha1.rules import exactly_one_of, rule, validated_by

FileName = Annotated[str, StringConstraints(max_length=253)]
FileText = Annotated[str, StringConstraints(max_length=262_144)]
VariableName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
VariableValue = Annotated[str, StringConstraints(max_length=65_536)]

MAX_INLINE_BYTES = 524_288
MAX_VARIABLE_BYTES = 262_144
"""All inline files, all values together: half of what etcd takes for one object, so that status and metadata always fit."""


class ObjectReference(Model):
    """Names an object of the job's own namespace."""

    name: ObjectName
    """The object's name."""


class KeySelector(Model):
    """Picks one key of a Secret of the job's namespace."""

    name: ObjectName
    """The Secret's name."""
    key: DataKey
    """The key in the Secret's data."""


class InlineSource(Model):
    """Terraform files written into the job itself."""

    files: Annotated[
        dict[str, FileText],
        Field(
            min_length=1,
            max_length=64,
            json_schema_extra=validated_by(
                rule(
                    "self.all(name, name.size() <= 253 && name.matches('^[-._a-zA-Z0-9]+$') && !(name in ['.', '..']))",
                    "a file's name is at most 253 letters, digits, '-', '_' and '.', without a folder",
                ),
                rule(
                    f"self.map(name, bytes(self[name]).size()).sum() <= {MAX_INLINE_BYTES}",
                    "inline files are at most 512 KiB together: put larger sources into a ConfigMap",
                ),
            ),
        ),
    ]
    """Text by file name (`main.tf`). Names may not hold a slash; all texts together at most 512 KiB."""


class GitSource(Model):
    """A folder of a git repository, read over HTTP(S). Submodules are not followed, hooks not run."""

    url: Annotated[
        str,
        StringConstraints(max_length=2048),
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self.matches('^https?://[^@/?#]+/[^?#]*$')",
                    "a git URL begins with https:// or http://, and holds neither credentials, which belong into a Secret"
                    " named by secretRef, nor a query",
                )
            )
        ),
    ]
    """The repository, like `https://git.example.com/platform/templates.git`."""
    ref: Annotated[
        str, StringConstraints(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_./+]*[A-Za-z0-9])?$")
    ] = "HEAD"
    """A branch, a tag, or a whole commit id."""
    commit: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9a-f]{40}$")] | None = None
    """The commit to take, whatever `ref` has come to mean. A template's version is pinned by it."""
    path: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024),
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self == '.' || !self.split('/').exists(step, step in ['', '.', '..', '.git'])",
                    "a path leads down from the repository's root: no '..', and no '/' at its ends",
                )
            )
        ),
    ] = "."
    """The folder with the Terraform files, from the repository's root. Its files may refer to others of the repository."""
    secret_ref: ObjectReference | None = None
    """A Secret with the keys `username` and `password` (kubernetes.io/basic-auth), or `token`."""


class Source(Model):
    """Where the Terraform files come from: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("inline", "configMapRef", "git"),
                "a source has exactly one of inline, configMapRef and git",
            )
        )
    )

    inline: InlineSource | None = None
    """The files themselves."""
    config_map_ref: ObjectReference | None = None
    """A ConfigMap whose keys are file names."""
    git: GitSource | None = None
    """A folder of a git repository."""


class VariableSource(Model):
    """Where a variable's value comes from."""

    secret_key_ref: KeySelector
    """A key of a Secret. The value never appears on a command line, in a log or in the job's status."""


class Variable(Model):
    """An input variable of the run: exactly one of `value` and `valueFrom`."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(exactly_one_of("value", "valueFrom"), "a variable has exactly one of value and valueFrom")
        )
    )

    name: VariableName
    """The Terraform variable's name."""
    value: VariableValue | None = None
    """Its value: text, or a Terraform expression where the variable's type is not a string, number or bool."""
    value_from: VariableSource | None = None
    """Where to read its value when the run starts."""


class VariablesSource(Model):
    """A Secret each of whose keys is a variable."""

    secret_ref: ObjectReference
    """The Secret. Variables named in `spec.variables` win over its keys."""
