"""Inputs of a run: Terraform files and the values of input variables."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName
from provisioner_operator.api.v1alpha1.limits import LONGEST_VARIABLE_NAME, VARIABLE_NAME
from provisioner_operator.api.v1alpha1.rules import exactly_one_of, rule, validated_by

FileName = Annotated[str, StringConstraints(max_length=253)]
FileText = Annotated[str, StringConstraints(max_length=262_144)]
VariableName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_VARIABLE_NAME, pattern=VARIABLE_NAME)]
VariableValue = Annotated[str, StringConstraints(max_length=65_536)]

MAX_INLINE_BYTES = 524_288
MAX_VARIABLE_BYTES = 262_144
"""Bytes of all inline files, and of all values: together half of the size that etcd accepts for one object, so that
status and metadata always fit."""


class ObjectReference(Model):
    """Reference to an object in the same namespace."""

    name: ObjectName
    """The object's name."""


class KeySelector(Model):
    """Reference to one key of a Secret in the same namespace."""

    name: ObjectName
    """The Secret's name."""
    key: DataKey
    """The key in the Secret's data."""


class InlineSource(Model):
    """Terraform files as part of the object itself."""

    files: Annotated[
        dict[str, FileText],
        Field(
            min_length=1,
            max_length=64,
            json_schema_extra=validated_by(
                rule(
                    "self.all(name, name.size() <= 253 && name.matches('^[-._a-zA-Z0-9]+(/[-._a-zA-Z0-9]+)*$') && "
                    "!('/' + name + '/').matches('/[.][.]?/'))",
                    "a file's name has at most 253 characters: letters, digits, '-', '_', '.', and '/' between folders, "
                    "without '.' and '..' as a step",
                ),
                rule(
                    f"self.map(name, bytes(self[name]).size()).sum() <= {MAX_INLINE_BYTES}",
                    "inline files are larger than 512 KiB in total: put them into a ConfigMap and set configMapRef, or use git",
                ),
            ),
        ),
    ]
    """Contents of the files by name (`main.tf`, `scripts/setup.sh`). One that begins with `#!` is executable. All contents
    together have at most 512 KiB."""


class GitSource(Model):
    """A folder of a git repository, read over HTTP(S). Submodules are not fetched, and hooks do not run."""

    url: Annotated[
        str,
        StringConstraints(max_length=2048),
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self.matches('^https?://[^@/?#]+/[^?#]*$')",
                    "a git URL begins with https:// or http:// and contains no query, fragment or credentials: put"
                    " credentials into a Secret and name it in secretRef",
                )
            )
        ),
    ]
    """URL of the repository, such as `https://git.example.com/platform/templates.git`."""
    ref: Annotated[
        str,
        StringConstraints(min_length=1, max_length=255),
        Field(
            json_schema_extra=validated_by(
                rule(
                    r"self.matches('^[^-\\x00-\\x20\\x7f~^:?*\\[\\\\][^\\x00-\\x20\\x7f~^:?*\\[\\\\]*$') && self != '@'"
                    " && !self.endsWith('.') && !['..', '@{'].exists(part, self.contains(part))"
                    " && !self.split('/').exists(step, step == '' || step.startsWith('.') || step.endsWith('.lock'))",
                    "a ref is a name that git allows (`git check-ref-format`): without '-' at its beginning, spaces, control"
                    " characters, '~', '^', ':', '?', '*', '[', a backslash, '..' or '@{', without '/' or '.' at its ends, and"
                    " without a step that is empty, begins with '.' or ends with '.lock'",
                )
            )
        ),
    ] = "HEAD"
    """A branch, a tag, or a full commit id."""
    commit: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9a-f]{40}$")] | None = None
    """The commit to use, even if `ref` has moved since. It pins a template's version."""
    path: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024),
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self == '.' || !self.split('/').exists(step, step in ['', '.', '..', '.git'])",
                    "a path is relative to the repository's root, without '.', '..' or '.git' as a step, and without '/' at its ends",
                )
            )
        ),
    ] = "."
    """The folder with the Terraform files, relative to the repository's root. Its files may refer to others in the
    repository."""
    secret_ref: ObjectReference | None = None
    """A Secret with the keys `username` and `password` (kubernetes.io/basic-auth), or `token`."""


class Source(Model):
    """Origin of the Terraform files: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("inline", "configMapRef", "git"),
                "a source needs exactly one of inline, configMapRef and git",
            )
        )
    )

    inline: InlineSource | None = None
    """The files themselves."""
    config_map_ref: ObjectReference | None = None
    """A ConfigMap whose keys are file names."""
    git: GitSource | None = None
    """A folder of a git repository."""


class ModuleLogin(Model):
    """Login at a host from which Terraform fetches modules, or providers, over https."""

    host: Annotated[
        str,
        StringConstraints(max_length=259),
        Field(
            json_schema_extra=validated_by(
                rule(
                    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[1-9][0-9]{0,4})?$')",
                    "a host is a name in lower case, and a port if it is not 443: git.example.com, git.example.com:8443",
                )
            )
        ),
    ]
    """The host as modules name it, such as `git.example.com`; with its port if that is not 443."""
    secret_ref: ObjectReference
    """A Secret with the key `token`, or `username` and `password` (kubernetes.io/basic-auth), or all three."""


ModuleLogins = Annotated[
    list[ModuleLogin],
    Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]}),
]


class VariableSource(Model):
    """Origin of a variable's value."""

    secret_key_ref: KeySelector
    """A key of a Secret. The value never appears on a command line, in a log or in the job's status."""


class Variable(Model):
    """An input variable of the run: exactly one of `value` and `valueFrom`."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(exactly_one_of("value", "valueFrom"), "a variable needs exactly one of value and valueFrom")
        )
    )

    name: VariableName
    """Name of the Terraform variable."""
    value: VariableValue | None = None
    """Its value: text, or a Terraform expression if the variable's type is not string, number or bool."""
    value_from: VariableSource | None = None
    """Origin of its value, read when the run starts."""


class VariablesSource(Model):
    """A Secret in which each key is a variable."""

    secret_ref: ObjectReference
    """The Secret. Variables in `spec.variables` override its keys."""
