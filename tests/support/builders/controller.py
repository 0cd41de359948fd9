"""Assemble a controller's parts around a scripted client, for tests of single parts."""

from collections.abc import Callable, Mapping
from typing import Any

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.telemetry.traces import EndTraces
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.families import families
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.tracing.job_spans import Span
from support.manifests import Manifest
from support.scripted_client import ScriptedClient


class ControllerParts:
    """Reconcilers, observer and writer; none of them is running."""

    def __init__(
        self,
        *,
        leads: bool = True,
        send: Callable[[tuple[Span, ...]], None] | None = None,
        publish_supplies: bool = False,
    ) -> None:
        """`send` gets the traces; `publish_supplies` keeps a ProvisionerSupply in each namespace."""
        self.leading = leads
        self.client = ScriptedClient()
        self.reconcilers = Reconcilers.create("image", publish_supplies=publish_supplies)
        self.jobs = self.reconcilers.jobs
        self.pools = self.reconcilers.pools
        self.workspaces = self.reconcilers.workspaces
        self.metrics = Metrics(self.reconcilers, self.leads, self.leads)
        self.gate = WriteGate(4)
        self.recorder = EventRecorder(self.client, self.metrics, self.leads, self.gate)
        self.traces = EndTraces(send, self.leads)
        self.observer = Observer(self.reconcilers, self.metrics, self.recorder, self.leads, self.traces)
        self.writer = Writer(
            families(self.client, self.observer, self.reconcilers),
            JobExecutor(self.client, self.observer),
            self.observer,
            self.metrics,
            lambda: float("inf") if self.leading else 0.0,
            self.gate,
            writers=4,
        )

    def leads(self) -> bool:
        """Return whether this controller leads now."""
        return self.leading

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a counter or gauge; 0 if it has none."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def stored(manifest: Manifest, *, namespace: str = "acme", version: int = 1, **status: Any) -> Mapping[str, Any]:
    """Return the manifest as the API server stores it after a write."""
    meta = {
        "namespace": namespace,
        "uid": f"uid-of-{manifest['metadata']['name']}",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": "2027-01-15T08:00:00Z",
    }
    return manifest | {"metadata": meta | manifest["metadata"], "status": status}
