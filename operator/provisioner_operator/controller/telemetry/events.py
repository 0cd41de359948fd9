"""Events (events.k8s.io/v1) for the changes that an admin or a job's owner should learn of.

Jobs that are stuck, timed out, failed or lost their daemon; workspaces and templates that make no progress until
somebody acts; pools whose Pods may end before their jobs; refused writes, and objects that are ignored. A
job that simply runs, or that somebody cancels, causes none. An Event's name is derived from the object and the reason, so a repetition, even after a restart, finds
the first one and extends its series. Events are best effort: no decision waits for them. Only the leader writes them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    Phase,
    StatusCondition,
    TemplateReason,
    WorkspaceReason,
)
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.model.records import Condition, Job
from provisioner_operator.core.pools.drain_time import ShortDrain, drain_seconds
from provisioner_operator.core.workspaces.decisions import UpdateTemplateStatus, UpdateWorkspaceStatus
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import BusyError, ConflictError, KubeError
from provisioner_operator.kube.event_objects import Notice, event_body, event_name
from provisioner_operator.kube.object_meta import ObjectMeta

_logger = logging.getLogger(__name__)

_CONTROLLER = "provisioner.dev/provisioner-operator"
_REPORTED_AS_REFUSED = (WorkspaceReason.BUILD_REFUSED, WorkspaceReason.WRITE_REFUSED, TemplateReason.WRITE_REFUSED)
"""Reasons of stalls of which the refused write has caused an Event already."""
_BACKLOG = 1000
"""Events that wait to be written; further ones are dropped with a log line."""


def ended(job: Job) -> Notice | None:
    """Describe the end of a job that failed; None for one that completed, or that somebody canceled: its status says who."""
    if job.phase is not Phase.FAILED:
        return None
    return _about_job(job, job.reason or job.phase, "End")


def stuck(job: Job) -> Notice:
    """Describe why a job will not start until somebody acts."""
    return _about_job(job, job.reason or "Pending", "Assign")


def stalled(decision: Decision) -> Notice | None:
    """Describe why a workspace or template makes no progress, once its status reports a new reason; else None."""
    match decision:
        case UpdateWorkspaceStatus(workspace, status):
            former, latest = workspace.status.conditions, status.conditions
        case UpdateTemplateStatus(template, template_status):
            former, latest = template.status.conditions, template_status.conditions
        case _:
            return None
    cause = _stall(latest)
    if cause is None or cause == _stall(former) or cause[0] in _REPORTED_AS_REFUSED:
        return None
    about, (reason, message) = decision.regarding, cause
    return Notice(about.kind, about.namespace, about.name, about.uid, reason, message, "Reconcile")


def drifted(decision: Decision) -> Notice | None:
    """Describe what a check for drift found, once that differs from what the status said before; else None."""
    if not isinstance(decision, UpdateWorkspaceStatus):
        return None
    former, latest = _drift(decision.workspace.status.conditions), _drift(decision.status.conditions)
    if latest is None or latest.status is ConditionStatus.UNKNOWN:
        return None
    if former is not None and former.status is latest.status:
        return None
    about, is_true = decision.regarding, latest.status is ConditionStatus.TRUE
    return Notice(
        about.kind, about.namespace, about.name, about.uid, latest.reason, latest.message, "CheckDrift", warning=is_true
    )


def _drift(conditions: Sequence[Condition]) -> Condition | None:
    return next((each for each in conditions if each.type == StatusCondition.DRIFTED), None)


def _stall(conditions: Sequence[Condition]) -> tuple[str, str] | None:
    """Return the reason and the message of the condition Stalled if it is True."""
    return next(
        (
            (each.reason, each.message)
            for each in conditions
            if each.type == StatusCondition.STALLED and each.status is ConditionStatus.TRUE
        ),
        None,
    )


def refused(decision: Decision, refusal: Refusal) -> Notice:
    """Describe a write that the object needs and that the API server, or a policy of the cluster, refuses."""
    about, action = decision.regarding, type(decision).__name__
    if about.kind == "Pod" and refusal.reason == "Invalid":
        note = f"This Pod is not a daemon: the API server rejects its annotations. {refusal.message}. Correct the annotations."
        reason = "DaemonRefused"
    else:
        note = f"{action} of {decision.display_name} is refused: {refusal.message}. It is retried with exponential backoff."
        reason = "WriteRefused"
    return Notice(
        about.kind, about.namespace, about.name, about.uid, reason, note, action, api_version=about.api_version
    )


def grace_period_too_short(short: ShortDrain) -> Notice:
    """Describe a pool whose Pods have less time to drain than a job that runs on one may take."""
    pool, job = short.pool, short.job
    note = (
        f"Job {job.name} may run for {job.active_deadline:.0f} s, but a Pod of this pool that is evicted or deleted interrupts "
        f"its runs after {drain_seconds(pool)} s. Raise spec.template.terminationGracePeriodSeconds to {short.needed}, or "
        "lower spec.activeDeadlineSeconds of such jobs."
    )
    return Notice("ProvisionerPool", pool.namespace, pool.name, pool.uid, "GracePeriodTooShort", note, "Run")


def unparseable(kind: str, meta: ObjectMeta, error: Exception) -> Notice:
    """Describe why an object is ignored."""
    is_pod = kind == "Pod"
    misfit = (
        "has the label of a daemon but cannot be one" if is_pod else f"does not fit this version's schema of {kind}"
    )
    note = f"Ignored: this object {misfit}: {error}. Correct or delete it."
    version = "v1" if is_pod else API_VERSION
    return Notice(kind, meta.namespace, meta.name, meta.uid, "Unparseable", note, "Parse", api_version=version)


def _about_job(job: Job, reason: str, action: str) -> Notice:
    return Notice("ProvisionerJob", job.namespace, job.name, job.uid, reason, job.message or "", action, warning=True)


class EventRecorder:
    """Writes Events one at a time, in the background."""

    def __init__(self, client: KubeClient, metrics: Metrics, leads: Callable[[], bool], gate: WriteGate) -> None:
        self._leads = leads
        self._gate = gate
        self._client = client
        self._metrics = metrics
        self._backlog: asyncio.Queue[Notice] = asyncio.Queue(_BACKLOG)

    def record(self, notice: Notice) -> None:
        """Queue an Event to be written."""
        try:
            self._backlog.put_nowait(notice)
        except asyncio.QueueFull:
            _logger.warning("Too many Events are waiting: dropped %s", notice.display_name)

    async def run(self) -> None:
        """Write Events until canceled."""
        while True:
            notice = await self._backlog.get()
            try:
                while self._leads() and not await self._is_written(notice):
                    pass  # the gate delays the next attempt
            except KubeError as error:
                self._metrics.writes.labels("event", "failed").inc()
                _logger.warning("The Event %s was not written: %s", notice.display_name, error)
            finally:
                self._backlog.task_done()

    async def drained(self) -> None:
        """Return once no Event is waiting."""
        await self._backlog.join()

    async def _is_written(self, notice: Notice) -> bool:
        """Write an Event; False if the API server is too busy to take it now."""
        await self._gate.enter()
        sent = clock.read().monotonic
        try:
            await self._write(notice)
        except BusyError as error:
            self._gate.refused(error, sent=sent)
            return False
        finally:
            self._gate.leave()
        self._metrics.writes.labels("event", "ok").inc()
        return True

    async def _write(self, notice: Notice) -> None:
        name, time = event_name(notice), timestamp(clock.read().wall)
        try:
            await self._client.create(paths.events(notice.namespace), event_body(notice, _CONTROLLER, time))
        except ConflictError:
            # The same reason of the same object was recorded before: one more in its series.
            path = paths.event(notice.namespace, name)
            known = await self._client.get(path)
            series = {"count": (known.get("series") or {}).get("count", 1) + 1, "lastObservedTime": time}
            await self._client.merge_patch(path, {"series": series})
