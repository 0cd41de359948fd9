"""Volumes that a pool mounts into its daemons: Secrets, ConfigMaps, tokens, claims and empty directories.

Other kinds do not exist here, above all `hostPath`: whoever may write a pool gets nothing of a node.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import DataKey, Model, ObjectName
from provisioner_operator.api.v1alpha1.enums import VolumeMedium
from provisioner_operator.api.v1alpha1.pod_values import Quantity
from provisioner_operator.api.v1alpha1.rules import exactly_one_of, rule, validated_by

WORK_VOLUME = "tmp"
"""Volume of each daemon with the directories of its runs. A pool may replace it, but only by another `emptyDir`."""
WORK_DIRECTORY = "/tmp"  # noqa: S108 - a volume of the Pod's own
MOST_VOLUMES = 16
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_MOST_ITEMS = 32
_KINDS = ("secret", "configMap", "projected", "persistentVolumeClaim", "emptyDir")

VolumeName = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
RelativePath = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^/:]+(/[^/:]+)*$")]
MountPath = Annotated[str, StringConstraints(min_length=2, max_length=253, pattern=r"^(/[^/:]+)+$")]
FileMode = Annotated[int, Field(ge=0, le=0o777)]


class KeyPath(Model):
    """One key, and the file that it becomes."""

    key: DataKey
    """The key."""
    path: RelativePath
    """The file, relative to the volume."""
    mode: FileMode | None = None
    """Permissions of the file, as a decimal number: 256 is 0400. Those of the volume if absent."""


Items = Annotated[list[KeyPath], Field(max_length=_MOST_ITEMS, json_schema_extra={"x-kubernetes-list-type": "atomic"})]


class SecretVolume(Model):
    """Files of a Secret in the pool's namespace."""

    secret_name: ObjectName
    """The Secret's name."""
    items: Items = []
    """Keys to mount; all if empty."""
    default_mode: FileMode | None = None
    """Permissions of the files, as a decimal number; 420 (0644) if absent."""
    optional: bool = False
    """Set to true to start the Pod without the files if the Secret or a key does not exist."""


class ConfigMapVolume(Model):
    """Files of a ConfigMap in the pool's namespace."""

    name: ObjectName
    """The ConfigMap's name."""
    items: Items = []
    """Keys to mount; all if empty."""
    default_mode: FileMode | None = None
    """Permissions of the files, as a decimal number; 420 (0644) if absent."""
    optional: bool = False
    """Set to true to start the Pod without the files if the ConfigMap or a key does not exist."""


class ProjectedObject(Model):
    """Files of a Secret or a ConfigMap among those of other sources."""

    name: ObjectName
    """The object's name."""
    items: Items = []
    """Keys to mount; all if empty."""
    optional: bool = False
    """Set to true to start the Pod without the files if the object or a key does not exist."""


class ServiceAccountToken(Model):
    """A token of the Pod's ServiceAccount for another service, such as a cloud that trusts the cluster's issuer."""

    audience: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    """The service that the token is for, such as `sts.amazonaws.com`. Never the API server: it has a token of its own."""
    expiration_seconds: Annotated[int, Field(ge=600, le=86_400)] = 3600
    """Time for which the token is valid; kubelet replaces it before."""
    path: RelativePath
    """The file, relative to the volume."""


class VolumeProjection(Model):
    """One source of a projected volume: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of("serviceAccountToken", "secret", "configMap"),
                "a source of a projected volume needs exactly one of serviceAccountToken, secret and configMap",
            )
        )
    )

    service_account_token: ServiceAccountToken | None = None
    """A token of the ServiceAccount."""
    secret: ProjectedObject | None = None
    """Files of a Secret."""
    config_map: ProjectedObject | None = None
    """Files of a ConfigMap."""


class ProjectedVolume(Model):
    """Tokens, Secrets and ConfigMaps in one directory."""

    sources: Annotated[
        list[VolumeProjection],
        Field(min_length=1, max_length=MOST_VOLUMES, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ]
    """The sources."""
    default_mode: FileMode | None = None
    """Permissions of the files, as a decimal number; 420 (0644) if absent."""


class ClaimVolume(Model):
    """A PersistentVolumeClaim in the pool's namespace, which all Pods of the pool share."""

    claim_name: ObjectName
    """The claim's name."""
    read_only: bool = False
    """Set to true to mount it for reading only."""


class EmptyDirVolume(Model):
    """A directory that is empty when the Pod starts and goes with it."""

    medium: VolumeMedium | None = None
    """Memory for a file system in memory, which counts against the container's limit."""
    size_limit: Quantity | None = None
    """Size beyond which the Pod is evicted, and its jobs with it."""


class Volume(Model):
    """A volume: exactly one of the fields besides its name."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                exactly_one_of(*_KINDS),
                "a volume needs exactly one of secret, configMap, projected, persistentVolumeClaim and emptyDir",
            ),
            rule(
                f"self.name != '{WORK_VOLUME}' || has(self.emptyDir)",
                f"the volume {WORK_VOLUME} holds the directories of runs, and can only be an emptyDir",
                field="name",
                reason="FieldValueForbidden",
            ),
        )
    )

    name: VolumeName
    """The volume's name. `tmp` replaces the volume of the runs' directories."""
    secret: SecretVolume | None = None
    """Files of a Secret."""
    config_map: ConfigMapVolume | None = None
    """Files of a ConfigMap."""
    projected: ProjectedVolume | None = None
    """Tokens of the ServiceAccount, Secrets and ConfigMaps in one directory."""
    persistent_volume_claim: ClaimVolume | None = None
    """A claim, for example for a cache of providers."""
    empty_dir: EmptyDirVolume | None = None
    """An empty directory."""


class VolumeMount(Model):
    """A directory or file of a volume in the daemon's container."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"!(self.mountPath in ['{WORK_DIRECTORY}', '/var', '/var/run', '/var/run/secrets',"
                f" '/var/run/secrets/kubernetes.io', '{_SERVICE_ACCOUNT}'])",
                f"{WORK_DIRECTORY} and {_SERVICE_ACCOUNT} are the daemon's own: mount the volume somewhere else",
                field="mountPath",
                reason="FieldValueForbidden",
            )
        )
    )

    name: VolumeName
    """The volume's name."""
    mount_path: MountPath
    """The absolute path in the container."""
    sub_path: RelativePath | None = None
    """The part of the volume to mount; all of it if absent."""
    read_only: bool = False
    """Set to true to mount it for reading only."""
