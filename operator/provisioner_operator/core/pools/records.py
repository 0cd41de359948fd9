"""Records of pools: frozen, slim, already valid."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.matching import Supply
from provisioner_operator.core.model.records import Condition


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """Bounds between which a pool follows its queue, and its speed."""

    max_replicas: int
    min_replicas: int = 0
    target_wait: float = field(kw_only=True)
    scale_down_delay: float = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """Settings of a pool's Pods. Settings that the core need not understand are passed on as written."""

    image: str | None = None
    service_account: str = "provisioner-daemon"
    termination_grace: int = 4000
    resources: JsonObject | None = None
    env: tuple[JsonObject, ...] = ()
    env_from: tuple[JsonObject, ...] = ()
    pass_env: tuple[str, ...] = ()
    volumes: tuple[JsonObject, ...] = ()
    volume_mounts: tuple[JsonObject, ...] = ()
    image_pull_secrets: tuple[JsonObject, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[JsonObject, ...] = ()
    affinity: JsonObject | None = None
    topology_spread: tuple[JsonObject, ...] = ()
    priority_class: str | None = None
    runtime_class: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Status of a pool; the fields are those of the API."""

    replicas: int = 0
    desired_replicas: int = 0
    updated_replicas: int = 0
    idle: int = 0
    busy: int = 0
    queued: int = 0
    mean_run_seconds: int | None = None
    start_seconds: tuple[int, ...] = ()
    selector: str | None = None
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """A ProvisionerPool."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    generation: int
    supply: Supply
    tags: tuple[tuple[str, str], ...] = ()
    """Tags as written in the spec."""
    capacity: int = 1
    lost_after: int = field(kw_only=True)
    cancel_grace: int = field(kw_only=True)
    replicas: int = 1
    autoscaling: Autoscaling | None = None
    max_surge: int = 1
    template: PodTemplate = field(default_factory=PodTemplate)
    finalizers: tuple[str, ...] = ()
    deleting: bool = False
    status: PoolStatus = field(default_factory=PoolStatus)

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"
