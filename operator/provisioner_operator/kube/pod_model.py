"""The part of a Pod (core/v1) that this product reads: its name, its owners and the state of its containers.

Used by `pod_parsing` (the Pod as a daemon) and `pool_parsing` (the Pod as a member of a pool).
"""

# ruff: noqa: RUF012 (pydantic copies a default for each object)

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, ValidationError

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.core.pools.pod_builder import CONTAINER
from provisioner_operator.kube.parsing import UnparseableObjectError, explain

FINAL_PHASES = frozenset({"Succeeded", "Failed"})
"""Phases in which no container of a Pod is started again."""


class PodOwner(Model):
    """An owner of the Pod."""

    uid: str
    controller: bool = False


class PodMeta(Model):
    """The name, owners and labels of the Pod."""

    name: str
    namespace: str
    uid: str
    resource_version: str = "0"
    creation_timestamp: AwareDatetime
    deletion_timestamp: AwareDatetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[PodOwner] = []


class Waiting(Model):
    """The state of a container that does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(Model):
    """The state of a container that has ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


class ContainerState(Model):
    """The state of a container: waiting, terminated, or running if neither is set."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Model):
    """The status of one container, as kubelet reports it."""

    name: str = ""
    state: ContainerState = ContainerState()


class PodCondition(Model):
    """One condition of the Pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: AwareDatetime | None = None


class PodStatus(Model):
    """The status of the Pod."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: list[PodCondition] = []
    container_statuses: list[ContainerStatus] = []

    @property
    def ready(self) -> PodCondition | None:
        """The condition Ready if it is true."""
        return next((each for each in self.conditions if each.type == "Ready" and each.status == "True"), None)

    @property
    def ends(self) -> list[Terminated]:
        """The ends of those containers that have ended."""
        return [each.state.terminated for each in self.container_statuses if each.state.terminated is not None]


class PodSpec(Model):
    """The part of the Pod's spec that says whether an end is final."""

    restart_policy: str = "Always"


class Pod(Model):
    """A Pod, without most of its spec."""

    metadata: PodMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def daemon_containers(self) -> list[ContainerStatus]:
        """The container that is the daemon; all containers if none has its name."""
        statuses = self.status.container_statuses
        return [each for each in statuses if each.name == CONTAINER] or statuses

    @property
    def daemon_ends(self) -> list[Terminated]:
        """The ends of the daemon's containers, once all of them have ended; an injected sidecar may run on."""
        ends = [each.state.terminated for each in self.daemon_containers if each.state.terminated is not None]
        return ends if len(ends) == len(self.daemon_containers) else []

    @property
    def restarts_nothing(self) -> bool:
        """Whether no container that has ended is started again."""
        return self.status.phase in FINAL_PHASES or self.spec.restart_policy == "Never"


def parse_pod(body: Mapping[str, Any]) -> Pod:
    """Parse a Pod. Raises UnparseableObjectError."""
    try:
        return Pod.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None


def worst(ends: list[Terminated]) -> Terminated:
    """Choose the end that explains best why the Pod ended: a failed one if there is one."""
    return max(ends, key=lambda end: end.exit_code != 0, default=Terminated())
