"""Environment variables that a pool sets for its daemons and their runs: one by one, and whole Secrets and ConfigMaps.

Which of them reach runs is decided in `core.daemons.run_environment`.
"""

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName
from provisioner_operator.api.v1alpha1.rules import exactly_one_of, one_of, rule, validated_by

OWN_VARIABLES = ("POD_NAME", "POD_NAMESPACE", "POD_UID")
"""Variables by which a daemon identifies its Pod."""
DRAIN_VARIABLE = "PROVISIONER_DRAIN_SECONDS"
"""Variable by which a pool gives its daemons the time that runs get to end once the Pod is to be terminated."""
TERRAFORM_DIRECTORIES_VARIABLE = "PROVISIONER_TERRAFORM_DIRECTORIES"
"""Variable by which an image, or a pool, names the directories with further versions of Terraform and OpenTofu."""
PROVIDER_CACHE_VARIABLE = "TF_PLUGIN_CACHE_DIR"
"""Variable with the directory in which a daemon keeps the providers of its runs. Terraform's own: runs get another value."""

RESERVED_PREFIXES = ("PROVISIONER_", "KUBERNETES_", "CODER_")
IDENTITY_VARIABLES = (*OWN_VARIABLES, "KUBECONFIG")
RUN_VARIABLES = ("HOME", "TMPDIR", "TF_IN_AUTOMATION", "CHECKPOINT_DISABLE", "TF_DATA_DIR", "TF_WORKSPACE")
"""Variables that runs do not get from their daemon: those of its identity, and those that a run sets itself, or by which
Terraform would keep its state in another place."""
BACKEND_PREFIX = "KUBE_"
"""Prefix of variables that move the state: Terraform's backend `kubernetes` reads `KUBE_HOST` and its like, and lets them
replace even settings that are empty."""
HARMLESS_BACKEND_VARIABLES = ("KUBE_CONFIG_PATH", "KUBE_CONFIG_PATHS")
"""Those with the prefix that cannot move it, because the backend's own path is always set."""
PASSABLE = rule(
    "self.all(name, "
    + " && ".join(
        (
            f"!(name in {one_of((*IDENTITY_VARIABLES, *RUN_VARIABLES))})",
            *(f"!name.startsWith('{prefix}')" for prefix in RESERVED_PREFIXES),
            f"(!name.startsWith('{BACKEND_PREFIX}') || name.endsWith('*') || name in {one_of(HARMLESS_BACKEND_VARIABLES)})",
        )
    )
    + ")",
    "passEnv cannot name variables of the daemon's identity, nor those that a run sets itself or that would move its state",
    reason="FieldValueForbidden",
)
"""Rule of a list of names and prefixes; `core.daemons.run_environment` has the same for `--pass-env`."""

PassedVariable = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*\*?$")
]
EnvironmentName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
]
EnvironmentPrefix = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
]
EnvironmentValue = Annotated[str, StringConstraints(max_length=32_768)]
FieldPath = Annotated[str, StringConstraints(min_length=1, max_length=253)]


class EnvironmentKey(Model):
    """Reference to one key of a Secret or ConfigMap in the pool's namespace."""

    name: ObjectName
    """The object's name."""
    key: DataKey
    """The key in its data."""
    optional: bool = False
    """Set to true to start the Pod without the variable if the object or key does not exist."""


class FieldReference(Model):
    """Reference to a field of the Pod itself."""

    field_path: FieldPath
    """The field, such as `spec.nodeName` or `status.podIP`."""


class EnvironmentSource(Model):
    """Origin of a variable's value: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("secretKeyRef", "configMapKeyRef", "fieldRef"),
                "valueFrom needs exactly one of secretKeyRef, configMapKeyRef and fieldRef",
            )
        )
    )

    secret_key_ref: EnvironmentKey | None = None
    """A key of a Secret."""
    config_map_key_ref: EnvironmentKey | None = None
    """A key of a ConfigMap."""
    field_ref: FieldReference | None = None
    """A field of the Pod."""


class EnvironmentVariable(Model):
    """An environment variable of the daemon, which Terraform gets in every run."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                "!has(self.value) || !has(self.valueFrom)",
                "an environment variable cannot have both value and valueFrom: remove one of them",
                reason="FieldValueForbidden",
            ),
            rule(
                f"!(self.name in {one_of(OWN_VARIABLES)})",
                f"{', '.join(OWN_VARIABLES)} are reserved: a daemon identifies its Pod by them",
                field="name",
                reason="FieldValueForbidden",
            ),
        )
    )

    name: EnvironmentName
    """The variable's name."""
    value: EnvironmentValue | None = None
    """Its value; `$(NAME)` refers to a variable before it."""
    value_from: EnvironmentSource | None = None
    """Origin of its value, read when the Pod starts."""


class EnvironmentObject(Model):
    """Reference to a Secret or ConfigMap in the pool's namespace."""

    name: ObjectName
    """The object's name."""
    optional: bool = False
    """Set to true to start the Pod without the variables if the object does not exist."""


class EnvironmentFrom(Model):
    """All keys of a Secret or a ConfigMap, as environment variables of Terraform in every run."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("secretRef", "configMapRef"),
                "an entry of envFrom needs exactly one of secretRef and configMapRef",
            )
        )
    )

    prefix: EnvironmentPrefix | None = None
    """Prefix of the variables' names, before the keys, such as `TF_VAR_`."""
    secret_ref: EnvironmentObject | None = None
    """The Secret. Its values are masked in logs."""
    config_map_ref: EnvironmentObject | None = None
    """The ConfigMap."""
