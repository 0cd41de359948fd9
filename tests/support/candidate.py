"""Elector with everything around it and a scripted client, for a test in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from provisioner_operator.api.v1alpha1.names import LEASE
from provisioner_operator.controller import clock
from provisioner_operator.controller.elector import Elector
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.core.leadership import Candidacy
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from support.scripted_client import Answer, ScriptedClient

ME, OTHER = "me", "other"
PATH = paths.lease("system", LEASE)
COLLECTION = paths.leases("system")
NONE = NotFoundError(404, "no such Lease")
AWAY = UnreachableError("no answer")


def a_lease(holder: str | None = ME, *, version: int = 1, renewed: str = "noon") -> dict[str, Any]:
    spec: dict[str, Any] = {"renewTime": renewed, "leaseDurationSeconds": 15, "leaseTransitions": 0}
    return {
        "metadata": {"namespace": "system", "name": LEASE, "uid": "u", "resourceVersion": str(version)},
        "spec": spec | ({"holderIdentity": holder} if holder else {}),
    }


class Candidate:
    """An elector with everything around it, and the client that it talks to."""

    def __init__(self, *, read: Answer = NONE, created: Answer | None = None, patched: Answer | None = None) -> None:
        self.client = ScriptedClient()
        self.client.answers("GET", PATH, read)
        self.client.answers("POST", COLLECTION, created or a_lease())
        self.client.answers("PATCH", PATH, patched or a_lease(version=100))
        self.candidacy = Candidacy(ME)
        reconcilers = Reconcilers.create("image")
        metrics = Metrics(reconcilers, self.leads, self.leads)
        recorder = EventRecorder(self.client, metrics, self.leads, WriteGate(1))
        self.observer = Observer(reconcilers, metrics, recorder, self.leads)
        self.elector = Elector(self.client, self.candidacy, "system", self.observer)

    def leads(self) -> bool:
        return self.candidacy.leads(clock.since_boot())

    def in_contact(self) -> bool:
        return self.observer.in_contact

    def problem(self) -> str:
        return self.elector.problem or ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.elector.run()), asyncio.create_task(self.elector.watch())]
        try:
            yield
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def times(self, method: str) -> list[float]:
        """Return the times at which the requests of a method were sent."""
        return [request.at for request in self.client.sent(method)]
