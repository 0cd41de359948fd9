"""The part of a Pod (core/v1) that this product reads: how it is named and owned, and what kubelet says of its containers.

Parsed at the edge by `pod_parsing` (the daemon that the Pod is) and `pool_parsing` (the pool's member that it is).
"""

# ruff: noqa: RUF012 (pydantic copies a default for each object)

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, ValidationError

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.kube.parsing import UnparseableObjectError, explain

FINAL_PHASES = frozenset({"Succeeded", "Failed"})
"""No container of such a Pod is started any more."""


class PodOwner(Model):
    """Whom the Pod goes with."""

    uid: str
    controller: bool = False


class PodMeta(Model):
    """Its name and its owners."""

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
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(Model):
    """A container that has ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


class ContainerState(Model):
    """One of the two, or neither: then it runs."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Model):
    """Kubelet's word on one container."""

    state: ContainerState = ContainerState()


class PodCondition(Model):
    """One condition of the Pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: AwareDatetime | None = None


class PodStatus(Model):
    """What is known of the Pod."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: list[PodCondition] = []
    container_statuses: list[ContainerStatus] = []

    @property
    def ready(self) -> PodCondition | None:
        """The condition Ready, if it holds."""
        return next((each for each in self.conditions if each.type == "Ready" and each.status == "True"), None)

    @property
    def ends(self) -> list[Terminated]:
        """How those containers ended that have."""
        return [each.state.terminated for each in self.container_statuses if each.state.terminated is not None]


class Pod(Model):
    """A Pod."""

    metadata: PodMeta
    status: PodStatus = PodStatus()


def parse_pod(body: Mapping[str, Any]) -> Pod:
    """Read the Pod. Raises UnparseableObjectError."""
    try:
        return Pod.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None


def worst(ends: list[Terminated]) -> Terminated:
    """The end that says most about why the Pod ended: one that failed, if any did."""
    return max(ends, key=lambda end: end.exit_code != 0, default=Terminated())
