"""The record of a ProvisionerQueue. Parsed by `kube`."""

from dataclasses import dataclass, replace

from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.scheduling.queueing.policy import QueuePolicy

RUN_HALF_LIVES = 3
"""Half-lives for which a run is kept after its end whatever the history says: by then it counts an eighth. Without this, a group
whose jobs are deleted soon would seem to have used nothing, and go first again and again."""


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
    history: HistoryLimits | None = None
    """Numbers of ended jobs that the namespace keeps, as its spec names them."""

    @property
    def display_name(self) -> str:
        """Namespace and name, for messages and logs."""
        return f"{self.namespace}/{self.name}"

    @property
    def kept_history(self) -> HistoryLimits | None:
        """Numbers of ended jobs that the namespace keeps, and the time for which its shares of groups need the runs."""
        fairness = self.policy.fairness
        if self.history is None or fairness is None:
            return self.history
        return replace(self.history, run_seconds=RUN_HALF_LIVES * fairness.half_life)
