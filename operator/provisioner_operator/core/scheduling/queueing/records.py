"""The record of a ProvisionerQueue. Parsed by `kube`."""

from dataclasses import dataclass

from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.scheduling.queueing.policy import QueuePolicy


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Jobs of one group."""

    name: str
    running: int
    pending: int
    share: int
    """Percentage of the slots in use that the group uses."""
    waited: int = 0
    """Seconds for which its oldest job has waited."""


@dataclass(frozen=True, slots=True)
class LimitCount:
    """Jobs of one limit, of all its groups."""

    name: str
    running: int
    blocked: int


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Status of a queue."""

    pending: int = 0
    running: int = 0
    groups: tuple[GroupCount, ...] = ()
    limits: tuple[LimitCount, ...] = ()
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """A namespace's ProvisionerQueue, and its policy."""

    namespace: str
    name: str
    uid: str
    resource_version: int
    generation: int
    policy: QueuePolicy
    status: QueueStatus = QueueStatus()

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"
