"""Events (events.k8s.io/v1) for what an admin wants to be told, and nothing else.

Stuck, timed out, failed, canceled and by whom, daemon lost; a job that simply runs makes none. An event's name is made
from the job and the reason, so telling it again, even after a restart, finds it there: what recurs becomes a series.
Events are best effort: they never hold up a decision. Only who leads tells of anything.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import Admission
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import BusyError, ConflictError, KubeError

_logger = logging.getLogger(__name__)

_CONTROLLER = "provisioner.dev/provisioner-operator"
_NOTE_LIMIT = 1024
"""As long as the API server lets an event's note be."""
_BACKLOG = 1000
"""Events waiting to be written; more are dropped, with a line in the log."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told about one object."""

    kind: str
    namespace: str
    name: str
    uid: str
    reason: str
    note: str
    action: str
    warning: bool = True
    api_version: str = API_VERSION


def ended(job: Job) -> Notice | None:
    """What to tell of a job that ended: nothing if it completed."""
    if job.phase is Phase.COMPLETED:
        return None
    action = "Cancel" if job.phase is Phase.CANCELED else "End"
    return _about(job, job.reason or job.phase, job.message or "", action, warning=job.phase is Phase.FAILED)


def stuck(job: Job) -> Notice:
    """What to tell of a job that will not start unless somebody does something."""
    return _about(job, job.reason or "Pending", job.message or "", "Assign", warning=True)


def refused(decision: Decision, refusal: Refusal) -> Notice:
    """Report that the API server, or a policy of the cluster, refuses a write that the object needs."""
    about, action = decision.regarding, type(decision).__name__
    if about.kind == "Pod" and refusal.reason == "Invalid":
        note = f"No daemon: the API server refuses what the Pod's annotations say. {refusal.message}. Correct the annotations."
        reason = "DaemonRefused"
    else:
        note = (
            f"{action} of {decision.display_name} is refused: {refusal.message}. It is tried again with growing pauses."
        )
        reason = "WriteRefused"
    return Notice(
        about.kind, about.namespace, about.name, about.uid, reason, note, action, api_version=about.api_version
    )


def _about(job: Job, reason: str, note: str, action: str, *, warning: bool) -> Notice:
    return Notice("ProvisionerJob", job.namespace, job.name, job.uid, reason, note, action, warning)


class EventRecorder:
    """Writes notices, one at a time, beside the work that matters."""

    def __init__(self, client: KubeClient, metrics: Metrics, leads: Callable[[], bool], admission: Admission) -> None:
        self._leads = leads
        self._admission = admission
        self._client = client
        self._metrics = metrics
        self._backlog: asyncio.Queue[Notice] = asyncio.Queue(_BACKLOG)

    def tell(self, notice: Notice) -> None:
        """Have the notice written, soon."""
        try:
            self._backlog.put_nowait(notice)
        except asyncio.QueueFull:
            _logger.warning(
                "Too many events at once: dropped %s of %s/%s", notice.reason, notice.namespace, notice.name
            )

    async def run(self) -> None:
        """Write notices until canceled."""
        while True:
            notice = await self._backlog.get()
            try:
                while self._leads() and not await self._is_written(notice):
                    pass  # the gate makes it wait
            except KubeError as error:
                self._metrics.writes.labels("event", "failed").inc()
                _logger.warning(
                    "Event %s of %s/%s not written: %s", notice.reason, notice.namespace, notice.name, error
                )
            finally:
                self._backlog.task_done()

    async def drained(self) -> None:
        """Return once all that was to be told is."""
        await self._backlog.join()

    async def _is_written(self, notice: Notice) -> bool:
        """Write it, unless the API server has no room for it now."""
        await self._admission.enter()
        sent = clock.read().monotonic
        try:
            await self._write(notice)
        except BusyError as error:
            self._admission.refused(error, sent=sent)
            return False
        finally:
            self._admission.leave()
        self._metrics.writes.labels("event", "ok").inc()
        return True

    async def _write(self, notice: Notice) -> None:
        body = _event(notice)
        try:
            await self._client.create(paths.events(notice.namespace), body)
        except ConflictError:
            path = paths.event(notice.namespace, body["metadata"]["name"])
            known = await self._client.get(path)
            series = {"count": (known.get("series") or {}).get("count", 1) + 1, "lastObservedTime": body["eventTime"]}
            await self._client.merge_patch(path, {"series": series})


def _event(notice: Notice) -> dict[str, Any]:
    digest = sha256(f"{notice.uid} {notice.reason}".encode()).hexdigest()[:16]
    note = notice.note if len(notice.note) <= _NOTE_LIMIT else notice.note[: _NOTE_LIMIT - 1] + "…"
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": notice.namespace, "name": f"{notice.name}.{digest}"},
        "eventTime": timestamp(clock.read().wall),
        "reportingController": _CONTROLLER,
        "reportingInstance": socket.gethostname()[:128],
        "action": notice.action,
        "reason": notice.reason,
        "type": "Warning" if notice.warning else "Normal",
        "note": note or notice.reason,
        "regarding": {
            "apiVersion": notice.api_version,
            "kind": notice.kind,
            "namespace": notice.namespace,
            "name": notice.name,
            "uid": notice.uid,
        },
    }
