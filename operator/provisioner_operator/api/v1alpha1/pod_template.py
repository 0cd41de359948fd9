"""Fields of its Pods that a pool can set. The operator sets all others (`core.pools.pod_builder`).

Kubernetes has these types already, but they are written out here instead of preserving unknown fields: a misspelt field
is refused where it stands, `kubectl explain` shows all fields, and nothing else (host paths, privileges, further
containers) can be requested.
"""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName, Seconds
from provisioner_operator.api.v1alpha1.enums import TaintEffect, TolerationOperator
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.api.v1alpha1.rules import Rule, exactly_one_of, one_of, rule, validated_by

DRAIN_SECONDS = 4000
"""Seconds for a job of an hour (the default deadline), the grace period of its cancel, and the report of its end."""
OWN_VARIABLES = ("POD_NAME", "POD_NAMESPACE", "POD_UID")
"""Variables by which a daemon identifies its Pod."""

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
"""A quantity in Kubernetes' notation, such as `500m` or `2Gi`; a plain number needs no quotes."""
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=_LABEL_VALUE)]
AnnotationValue = Annotated[str, StringConstraints(max_length=4096)]
EnvironmentName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
]
EnvironmentPrefix = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")
]
EnvironmentValue = Annotated[str, StringConstraints(max_length=32_768)]
FieldPath = Annotated[str, StringConstraints(min_length=1, max_length=253)]
TaintKey = Annotated[str, StringConstraints(max_length=_LONGEST_KEY)]
Amounts = Annotated[dict[str, Quantity], Field(max_length=16)]


def _keys(field: str) -> Rule:
    return rule(
        f"self.all(key, key.size() <= {_LONGEST_KEY} && key.matches('{_LABEL_KEY}'))",
        f"a key of {field} is a name of letters, digits, '-', '_' and '.', optionally with a domain and a slash before it",
    )


def _not_ours(field: str) -> Rule:
    return rule(
        f"self.all(key, !key.startsWith('{GROUP}/') && !key.contains('.{GROUP}/'))",
        f"{field} under {GROUP} are reserved for the operator: set tags and settings of daemons in the pool's spec",
        reason="FieldValueForbidden",
    )


class Resources(Model):
    """Resources that the container reserves and may use at most."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                " && ".join(
                    f"(!has(self.{field}) || self.{field}.all(key, key in ['cpu', 'memory', 'ephemeral-storage']"
                    " || key.startsWith('hugepages-') || key.contains('/')))"
                    for field in ("requests", "limits")
                ),
                "unknown resource: use cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME",
            )
        )
    )

    requests: Amounts = {}
    """Amounts reserved on the node, by resource: `cpu: 100m`, `memory: 256Mi`."""
    limits: Amounts = {}
    """Upper limits, by resource. A container that exceeds its memory limit is killed, and its job with it."""


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


class Toleration(Model):
    """Permission for the Pods to run on nodes with a matching taint."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"self.operator != '{TolerationOperator.EXISTS}' || !has(self.value) || self.value == ''",
                "a toleration with the operator Exists cannot have a value, because it matches every value",
                field="value",
                reason="FieldValueForbidden",
            ),
            rule(
                f"self.operator == '{TolerationOperator.EXISTS}' || (has(self.key) && self.key != '')",
                "a toleration without a key matches every taint: set a key, or the operator Exists",
                field="key",
                reason="FieldValueRequired",
            ),
            rule(
                f"!has(self.tolerationSeconds) || (has(self.effect) && self.effect == '{TaintEffect.NO_EXECUTE}')",
                "tolerationSeconds requires the effect NoExecute",
                field="tolerationSeconds",
                reason="FieldValueForbidden",
            ),
        )
    )

    key: TaintKey | None = None
    """The taint's key; every taint if absent."""
    operator: TolerationOperator = TolerationOperator.EQUAL
    """Equal compares the value, Exists accepts any."""
    value: LabelValue | None = None
    """The taint's value."""
    effect: TaintEffect | None = None
    """The taint's effect; every effect if absent."""
    toleration_seconds: int | None = None
    """Time that a Pod stays on a node that gets a NoExecute taint; unlimited if absent."""


class PodTemplate(Model):
    """Settings of the pool's Pods. A change replaces the Pods, each once it has no job."""

    image: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^\S+$")] | None = None
    """The daemon's image; by default the operator's own, so that an upgrade of the operator replaces the daemons."""
    resources: Resources | None = None
    """Resources that a Pod reserves and may use. By default, requests of 100m CPU and 256Mi memory, and a limit of 2Gi
    memory."""
    service_account_name: ObjectName = "provisioner-daemon"
    """The ServiceAccount that the daemons act as; it needs the ClusterRole provisioner-daemon in this namespace."""
    env: Annotated[
        list[EnvironmentVariable],
        Field(
            max_length=128, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Further environment variables, by name, of the daemon and of Terraform in every run: credentials of clouds, proxies.
    Those of the daemon's identity (PROVISIONER_*, KUBERNETES_*, KUBECONFIG) and of a run's (HOME, TMPDIR, CODER_*), and those
    that move its state (TF_WORKSPACE, TF_DATA_DIR, KUBE_* except KUBE_CONFIG_PATH), do not reach runs. Values from Secrets are
    masked in logs."""
    env_from: Annotated[
        list[EnvironmentFrom], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets and ConfigMaps whose keys are environment variables of Terraform in every run, but not of the daemon. Of two
    equal names the later one counts, and one of `env` before all of them."""
    node_selector: Annotated[
        dict[str, LabelValue], Field(max_length=32, json_schema_extra=validated_by(_keys("nodeSelector")))
    ] = {}
    """Labels that a node must have."""
    tolerations: Annotated[
        list[Toleration], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Taints of nodes that the Pods tolerate."""
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
    """Time that a Pod that is deleted or evicted has to finish its jobs before it is killed."""
