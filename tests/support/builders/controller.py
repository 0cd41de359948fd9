"""A controller's parts around a scripted client, for tests of one of them."""

from collections.abc import Mapping
from typing import Any

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.pools import PoolWrites
from provisioner_operator.controller.writes.workspaces import WorkspaceWrites
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.reconcilers.jobs import Mirror
from provisioner_operator.core.reconcilers.pools import PoolMirror
from provisioner_operator.core.reconcilers.workspaces import WorkspaceMirror
from support.manifests import Manifest
from support.scripted_client import ScriptedClient


class ControllerParts:
    """Reconcilers, observer and writer; nothing of it runs by itself."""

    def __init__(self, *, leads: bool = True) -> None:
        self.leading = leads
        self.client = ScriptedClient()
        self.workspaces = WorkspaceMirror()
        self.jobs = Mirror(self.workspaces.holds)
        self.pools = PoolMirror(self.jobs, "image")
        self.metrics = Metrics(self.jobs, self.pools, self.workspaces, self.leads)
        self.gate = WriteGate(4)
        self.recorder = EventRecorder(self.client, self.metrics, self.leads, self.gate)
        self.observer = Observer(self.jobs, self.pools, self.workspaces, self.metrics, self.recorder, self.leads)
        self.writer = Writer(
            self.client,
            self.observer,
            PoolWrites(self.client, self.observer, self.pools),
            WorkspaceWrites(self.client, self.observer, self.workspaces),
            self.metrics,
            lambda: float("inf") if self.leading else 0.0,
            self.gate,
        )

    def leads(self) -> bool:
        """Whether this controller leads now."""
        return self.leading

    def metric(self, name: str, **labels: str) -> float:
        """The value of a counter or gauge; 0 if it has none."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def stored(manifest: Manifest, *, namespace: str = "acme", version: int = 1, **status: Any) -> Mapping[str, Any]:
    """The manifest as the API server has it after a write."""
    meta = {
        "namespace": namespace,
        "uid": f"uid-of-{manifest['metadata']['name']}",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": "2027-01-15T08:00:00Z",
    }
    return manifest | {"metadata": meta | manifest["metadata"], "status": status}
