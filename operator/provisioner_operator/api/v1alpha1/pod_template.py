"""Fields of its Pods that a pool can set. The operator sets all others (`core.pools.pod_builder`).

Kubernetes has these types already, but they are written out here instead of preserving unknown fields: a misspelt field
is refused where it stands, `kubectl explain` shows all fields, and nothing else (host paths, privileges, further
containers) can be requested.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model, ObjectName, Seconds
from provisioner_operator.api.v1alpha1.pod_environment import (
    PASSABLE,
    EnvironmentFrom,
    EnvironmentVariable,
    PassedVariable,
)
from provisioner_operator.api.v1alpha1.pod_scheduling import Affinity, Toleration, TopologySpreadConstraint
from provisioner_operator.api.v1alpha1.pod_values import (
    Amounts,
    AnnotationValue,
    LabelValue,
    keys_are_not_ours,
    keys_are_valid,
)
from provisioner_operator.api.v1alpha1.pod_volumes import MOST_VOLUMES, WORK_VOLUME, Volume, VolumeMount
from provisioner_operator.api.v1alpha1.rules import rule, validated_by

DRAIN_SECONDS = 4000
"""Seconds for a job of an hour (the default deadline), the grace period of its cancel, and the report of its end."""


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


class ObjectReference(Model):
    """Name of an object in the pool's namespace."""

    name: ObjectName
    """The object's name."""


class PodTemplate(Model):
    """Settings of the pool's Pods. A change replaces the Pods, each once it has no job."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"!has(self.volumeMounts) || self.volumeMounts.all(mount, mount.name == '{WORK_VOLUME}'"
                " || has(self.volumes) && self.volumes.exists(volume, volume.name == mount.name))",
                "volumeMounts names a volume that is not among volumes",
                field="volumeMounts",
            )
        )
    )

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
    that move its state (TF_WORKSPACE, TF_DATA_DIR, KUBE_* except KUBE_CONFIG_PATH), do not reach runs; OTEL_*, by which the daemon
    sends traces, only if `passEnv` names them. Values from Secrets are masked in logs."""
    env_from: Annotated[
        list[EnvironmentFrom], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Secrets and ConfigMaps whose keys are environment variables of Terraform in every run, but not of the daemon. Of two
    equal names the later one counts, and one of `env` before all of them."""
    pass_env: Annotated[
        list[PassedVariable],
        Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set", **validated_by(PASSABLE)}),
    ] = []
    """Variables that something else sets in the Pods, such as the webhook of a cloud, and that Terraform gets as well: `NAME`,
    or `PREFIX*` for all that begin with it."""
    volumes: Annotated[
        list[Volume],
        Field(
            max_length=MOST_VOLUMES,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    """Volumes for the daemon and its runs, by name."""
    volume_mounts: Annotated[
        list[VolumeMount],
        Field(
            max_length=MOST_VOLUMES,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["mountPath"]},
        ),
    ] = []
    """Paths at which the volumes are mounted."""
    image_pull_secrets: Annotated[
        list[ObjectReference],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Secrets with which the image is pulled, beside those of the ServiceAccount."""
    node_selector: Annotated[
        dict[str, LabelValue], Field(max_length=32, json_schema_extra=validated_by(keys_are_valid("nodeSelector")))
    ] = {}
    """Labels that a node must have."""
    tolerations: Annotated[
        list[Toleration], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Taints of nodes that the Pods tolerate."""
    affinity: Affinity | None = None
    """Nodes and neighbors that the Pods need, prefer or avoid."""
    topology_spread_constraints: Annotated[
        list[TopologySpreadConstraint], Field(max_length=8, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Even distribution of the Pods over zones or nodes."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the Pods."""
    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the Pods, such as a sandbox for untrusted templates."""
    pod_labels: Annotated[
        dict[str, LabelValue],
        Field(
            max_length=32, json_schema_extra=validated_by(keys_are_valid("podLabels"), keys_are_not_ours("podLabels"))
        ),
    ] = {}
    """Further labels of the Pods, for example for the injector of a cloud."""
    pod_annotations: Annotated[
        dict[str, AnnotationValue],
        Field(
            max_length=32,
            json_schema_extra=validated_by(keys_are_valid("podAnnotations"), keys_are_not_ours("podAnnotations")),
        ),
    ] = {}
    """Further annotations of the Pods, for example for an injector of secrets."""
    termination_grace_period_seconds: Seconds = DRAIN_SECONDS
    """Time that a Pod that is deleted or evicted has to finish its jobs before it is killed. Runs that have not ended
    `cancelGraceSeconds` and 30 s before that are interrupted, so that they can still save their state."""
