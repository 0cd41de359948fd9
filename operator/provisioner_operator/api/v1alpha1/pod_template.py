"""What a pool may say about its Pods. All else of a Pod is the product's own (`core.pool_template`).

Written out as a structural schema rather than with preserved unknown fields, though Kubernetes has these types already:
a misspelt field is then refused where it was written, `kubectl explain` tells what there is, and what is not here (host
paths, privileges, other containers) cannot be asked for.
"""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName, Seconds
from provisioner_operator.api.v1alpha1.enums import TaintEffect, TolerationOperator
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.api.v1alpha1.rules import Rule, exactly_one_of, one_of, rule, validated_by

DRAIN_SECONDS = 4000
"""An hour's job (the default deadline), the grace of its cancel, and time to write its end."""
OWN_VARIABLES = ("POD_NAME", "POD_NAMESPACE", "POD_UID")
"""Variables by which a daemon knows which Pod it is."""

_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
_LABEL_KEY = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
_LONGEST_KEY = 317
"""A domain of 253, a slash and a name of 63."""

Quantity = Annotated[
    str,
    BeforeValidator(str),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": _QUANTITY, "maxLength": 64}),
]
"""An amount as Kubernetes writes it, `500m` or `2Gi`; a plain number may go without quotes."""
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=_LABEL_VALUE)]
AnnotationValue = Annotated[str, StringConstraints(max_length=4096)]
EnvironmentName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
]
EnvironmentValue = Annotated[str, StringConstraints(max_length=32_768)]
FieldPath = Annotated[str, StringConstraints(min_length=1, max_length=253)]
TaintKey = Annotated[str, StringConstraints(max_length=_LONGEST_KEY)]
Amounts = Annotated[dict[str, Quantity], Field(max_length=16)]


def _keys(field: str) -> Rule:
    return rule(
        f"self.all(key, key.size() <= {_LONGEST_KEY} && key.matches('{_LABEL_KEY}'))",
        f"a key of {field} is a name of letters, digits, '-', '_' and '.', perhaps after a domain and a slash",
    )


def _not_ours(field: str) -> Rule:
    return rule(
        f"self.all(key, !key.startsWith('{GROUP}/') && !key.contains('.{GROUP}/'))",
        f"{field} under {GROUP} are the operator's own: tags and settings of daemons are fields of the pool's spec",
        reason="FieldValueForbidden",
    )


class Resources(Model):
    """What the container reserves and may use at most."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                " && ".join(
                    f"(!has(self.{field}) || self.{field}.all(key, key in ['cpu', 'memory', 'ephemeral-storage']"
                    " || key.startsWith('hugepages-') || key.contains('/')))"
                    for field in ("requests", "limits")
                ),
                "a resource is cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME",
            )
        )
    )

    requests: Amounts = {}
    """Reserved on the node, by resource: `cpu: 100m`, `memory: 256Mi`."""
    limits: Amounts = {}
    """The most it gets. Above its memory the container is killed, and its job with it."""


class EnvironmentKey(Model):
    """Picks one key of a Secret or ConfigMap of the pool's namespace."""

    name: ObjectName
    """The object's name."""
    key: DataKey
    """The key in its data."""
    optional: bool = False
    """Leave the variable out when the object or key is absent, instead of not starting."""


class FieldReference(Model):
    """Picks a field of the Pod itself."""

    field_path: FieldPath
    """The field, such as `spec.nodeName` or `status.podIP`."""


class EnvironmentSource(Model):
    """Where a variable's value comes from: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("secretKeyRef", "configMapKeyRef", "fieldRef"),
                "valueFrom has exactly one of secretKeyRef, configMapKeyRef and fieldRef",
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
    """A variable of the daemon's environment, which the programs that it runs inherit."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                "!has(self.value) || !has(self.valueFrom)",
                "an environment variable has value or valueFrom, not both",
                reason="FieldValueForbidden",
            ),
            rule(
                f"!(self.name in {one_of(OWN_VARIABLES)})",
                f"{', '.join(OWN_VARIABLES)} tell a daemon which Pod it is and cannot be set",
                field="name",
                reason="FieldValueForbidden",
            ),
        )
    )

    name: EnvironmentName
    """The variable's name."""
    value: EnvironmentValue | None = None
    """Its value; `$(NAME)` stands for a variable before it."""
    value_from: EnvironmentSource | None = None
    """Where to take its value from when the Pod starts."""


class Toleration(Model):
    """Lets the Pods run on nodes with a matching taint."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"self.operator != '{TolerationOperator.EXISTS}' || !has(self.value) || self.value == ''",
                "a toleration with the operator Exists has no value: it matches each",
                field="value",
                reason="FieldValueForbidden",
            ),
            rule(
                f"self.operator == '{TolerationOperator.EXISTS}' || (has(self.key) && self.key != '')",
                "a toleration without a key matches every taint and needs the operator Exists",
                field="key",
                reason="FieldValueRequired",
            ),
            rule(
                f"!has(self.tolerationSeconds) || (has(self.effect) && self.effect == '{TaintEffect.NO_EXECUTE}')",
                "tolerationSeconds is only for the effect NoExecute",
                field="tolerationSeconds",
                reason="FieldValueForbidden",
            ),
        )
    )

    key: TaintKey | None = None
    """The taint's key; every taint when absent."""
    operator: TolerationOperator = TolerationOperator.EQUAL
    """Equal compares the value, Exists takes any."""
    value: LabelValue | None = None
    """The taint's value."""
    effect: TaintEffect | None = None
    """The taint's effect; every effect when absent."""
    toleration_seconds: int | None = None
    """How long a Pod stays on a node that gets a NoExecute taint; for ever when absent."""


class PodTemplate(Model):
    """What the pool's Pods have that others need not. Changing any of it replaces them, each once it has no job."""

    image: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^\S+$")] | None = None
    """The daemon's image; the operator's own when absent, so that an upgrade of the operator replaces the daemons."""
    resources: Resources | None = None
    """What a Pod reserves and may use. When absent: requests of 100m CPU and 256Mi memory, a limit of 2Gi memory."""
    service_account_name: ObjectName = "provisioner-daemon"
    """The ServiceAccount that the daemons act as; it needs the ClusterRole provisioner-daemon in this namespace."""
    env: Annotated[
        list[EnvironmentVariable],
        Field(
            max_length=128, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Further environment variables, by name; for cloud credentials, proxies and the like."""
    node_selector: Annotated[
        dict[str, LabelValue], Field(max_length=32, json_schema_extra=validated_by(_keys("nodeSelector")))
    ] = {}
    """Labels that a node must have."""
    tolerations: Annotated[
        list[Toleration], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Taints of nodes that the Pods put up with."""
    pod_labels: Annotated[
        dict[str, LabelValue],
        Field(max_length=32, json_schema_extra=validated_by(_keys("podLabels"), _not_ours("podLabels"))),
    ] = {}
    """Further labels of the Pods."""
    pod_annotations: Annotated[
        dict[str, AnnotationValue],
        Field(max_length=32, json_schema_extra=validated_by(_keys("podAnnotations"), _not_ours("podAnnotations"))),
    ] = {}
    """Further annotations of the Pods."""
    termination_grace_period_seconds: Seconds = DRAIN_SECONDS
    """How long a Pod that is deleted or evicted may take to finish its jobs before it is killed."""
