"""Assembly of the controller's parts for one attempt to start, with everything that depends on the connection."""

from collections.abc import Callable
from dataclasses import dataclass

from provisioner_operator.controller.elector import Elector
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.restore_record import RestoreRecord
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.sources.initial_list import Lister
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.telemetry.traces import EndTraces
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.families import families
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.leadership import Candidacy
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube.client import KubeClient


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that are rebuilt with each connection."""

    observer: Observer
    recorder: EventRecorder
    writer: Writer
    loop: DecisionLoop
    listers: tuple[Lister, ...]
    """One for each namespace, or one for all."""
    elector: Elector | None
    """None if this process always leads."""
    restore: RestoreRecord


def assemble(
    settings: Settings,
    client: KubeClient,
    reconcilers: Reconcilers,
    metrics: Metrics,
    traces: EndTraces,
    *,
    candidacy: Candidacy | None,
    leads: Callable[[], bool],
    term: Callable[[], int | None],
    tenure: Callable[[], float],
    restored: Callable[[], float | None],
) -> Parts:
    """Make the parts and connect them. Starts nothing."""
    # One gate for writers and Events: both use up the same capacity of the API server.
    gate = WriteGate(settings.writers)
    recorder = EventRecorder(client, metrics, leads, gate)
    observer = Observer(reconcilers, metrics, recorder, leads, traces)
    writer = Writer(
        families(client, observer, reconcilers),
        JobExecutor(client, observer),
        observer,
        metrics,
        tenure,
        gate,
        settings.writers,
    )
    listers = tuple(Lister(client, observer, reconcilers, writer, each) for each in settings.namespaces or (None,))
    elector = None
    if candidacy is not None and settings.lease_namespace is not None:
        elector = Elector(client, candidacy, settings.lease_namespace, observer)
    return Parts(
        observer=observer,
        recorder=recorder,
        writer=writer,
        loop=DecisionLoop(reconcilers, observer, writer, metrics, term, restored),
        listers=listers,
        elector=elector,
        restore=RestoreRecord(elector, lambda: any(lister.is_unsure for lister in listers)),
    )
