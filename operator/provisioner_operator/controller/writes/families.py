"""Map each kind of decision to the executor that carries it out and the reconciler that made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.daemons import DaemonExecutor
from provisioner_operator.controller.writes.executor import Executor
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.pools import PoolExecutor
from provisioner_operator.controller.writes.queues import QueueExecutor
from provisioner_operator.controller.writes.supplies import SupplyExecutor
from provisioner_operator.controller.writes.templates import TemplateExecutor
from provisioner_operator.controller.writes.workspaces import WorkspaceExecutor
from provisioner_operator.core.daemons.decisions import DaemonDecision, PodDecision
from provisioner_operator.core.jobs.decisions import JobDecision
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.decisions import PoolDecision
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus
from provisioner_operator.core.scheduling.supplies import WriteSupply
from provisioner_operator.core.workspaces.decisions import BuildDecision, TemplateDecision
from provisioner_operator.kube.client import KubeClient


class Reconciler(Protocol):
    """Reconciler that made a decision and has to learn its outcome."""

    def accepted(self, decision: Any, /) -> None:
        """Record that the write succeeded, and reset its backoff."""

    def refused(self, decision: Any, refusal: Refusal, now: Instant, /) -> bool:
        """Record that the API server refused the write, and back off; return whether to report it."""

    def settled(self, decision: Any, now: Instant, /) -> None:
        """End a decision, whatever its outcome; the next one about its object may be made."""


@dataclass(frozen=True, slots=True)
class Family:
    """Executor and reconciler of one family of decisions."""

    executor: Executor[Any]
    reconciler: Reconciler


def families(client: KubeClient, observer: Observer, reconcilers: Reconcilers) -> Mapping[type, Family]:
    """Return the family of each kind of decision."""
    table = (
        (JobDecision, Family(JobExecutor(client, observer), reconcilers.jobs)),
        (DaemonDecision | PodDecision, Family(DaemonExecutor(client, observer), reconcilers.jobs)),
        (UpdateQueueStatus, Family(QueueExecutor(client, observer), reconcilers.jobs)),
        (WriteSupply, Family(SupplyExecutor(client, observer), reconcilers.supplies)),
        (PoolDecision, Family(PoolExecutor(client, observer, reconcilers.jobs, reconcilers.pools), reconcilers.pools)),
        (BuildDecision, Family(WorkspaceExecutor(client, observer, reconcilers.workspaces), reconcilers.workspaces)),
        (TemplateDecision, Family(TemplateExecutor(client, observer, reconcilers.workspaces), reconcilers.workspaces)),
    )
    return {kind: family for kinds, family in table for kind in get_args(kinds) or (kinds,)}
