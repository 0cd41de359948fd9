"""Assembly of the controller's parts for one attempt to start, with everything that depends on the connection."""

from collections.abc import Callable
from dataclasses import dataclass

from provisioner_operator.controller.elector import Elector
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.sources.initial_list import Lister
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.pools import PoolWrites
from provisioner_operator.controller.writes.workspaces import WorkspaceWrites
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.leadership import Candidacy
from provisioner_operator.core.reconcilers.jobs import Mirror
from provisioner_operator.core.reconcilers.pools import PoolMirror
from provisioner_operator.core.reconcilers.workspaces import WorkspaceMirror
from provisioner_operator.kube.client import KubeClient


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that are made anew with each connection."""

    observer: Observer
    recorder: EventRecorder
    writer: Writer
    loop: DecisionLoop
    listers: tuple[Lister, ...]
    """One for each namespace, or one for all."""
    elector: Elector | None
    """None if this process always leads."""


def assemble(
    settings: Settings,
    client: KubeClient,
    mirror: Mirror,
    pools: PoolMirror,
    workspaces: WorkspaceMirror,
    metrics: Metrics,
    *,
    candidacy: Candidacy | None,
    leads: Callable[[], bool],
    tenure: Callable[[], float],
) -> Parts:
    """Make the parts and connect them. Starts nothing."""
    # One gate for writers and Events: both use up the same capacity of the API server.
    gate = WriteGate(settings.writers)
    recorder = EventRecorder(client, metrics, leads, gate)
    observer = Observer(mirror, pools, workspaces, metrics, recorder, leads)
    pool_writes = PoolWrites(client, observer, pools)
    workspace_writes = WorkspaceWrites(client, observer, workspaces)
    writer = Writer(client, observer, pool_writes, workspace_writes, metrics, tenure, gate)
    return Parts(
        observer=observer,
        recorder=recorder,
        writer=writer,
        loop=DecisionLoop(mirror, pools, workspaces, observer, writer, metrics, leads),
        listers=tuple(
            Lister(client, observer, mirror, pools, workspaces, writer, namespace)
            for namespace in settings.namespaces or (None,)
        ),
        elector=None
        if candidacy is None or settings.lease_namespace is None
        else Elector(client, candidacy, settings.lease_namespace, observer),
    )
