"""Place of a workspace's Terraform state: Secrets of its namespace, or the backend that the Terraform files name."""

from typing import Annotated

from pydantic import Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.enums import StateBackend
from provisioner_operator.api.v1alpha1.inputs import VariableSource
from provisioner_operator.api.v1alpha1.limits import VARIABLE_NAME
from provisioner_operator.api.v1alpha1.rules import rule, validated_by

WORKSPACE_PLACE = "$(provisioner_workspace)"
"""Stands for the workspace's name in a setting, so that no two workspaces share a state."""


class BackendSetting(Model):
    """A setting of the backend: exactly one of `value` and `valueFrom`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=VARIABLE_NAME)]
    """Name of the argument, such as `bucket`, `key`, `address` or `conn_str`."""
    value: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """Its value. `$(NAME)` stands for the run's variable of that name, such as `provisioner_workspace` or
    `provisioner_namespace`."""
    value_from: VariableSource | None = None
    """Origin of its value, read when the run starts, and used as it is."""


class StateStorage(Model):
    """Place in which the state of each workspace is kept."""

    backend: StateBackend = StateBackend.KUBERNETES
    """Kubernetes keeps it in Secrets of the namespace; Template in the backend that the Terraform files name: azurerm, gcs, http,
    pg or s3."""
    backend_config: Annotated[
        list[BackendSetting],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Settings that the files leave out, or that replace theirs; one of them must contain `$(provisioner_workspace)`."""


STATE_RULES = validated_by(
    rule(
        f"self.backend != '{StateBackend.TEMPLATE}'"
        f" || has(self.backendConfig) && self.backendConfig.exists(each, has(each.value) && each.value.contains('{WORKSPACE_PLACE}'))",
        f"one value in backendConfig must contain {WORKSPACE_PLACE}: otherwise all workspaces would share one state",
        field="backendConfig",
        reason="FieldValueRequired",
    ),
    rule(
        f"self.backend == '{StateBackend.TEMPLATE}' || !has(self.backendConfig) || self.backendConfig.size() == 0",
        "backendConfig is allowed only if backend is Template",
        field="backendConfig",
        reason="FieldValueForbidden",
    ),
    rule(
        "!has(self.backendConfig) || self.backendConfig.all(each, has(each.value) != has(each.valueFrom))",
        "a setting of a backend needs exactly one of value and valueFrom",
        field="backendConfig",
    ),
)
"""Rules of the specs that users write. What a version records was checked when its template was written."""
