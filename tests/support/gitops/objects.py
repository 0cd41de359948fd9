"""Objects of each kind in every state that the controller reports, each with the health that it should have.

The statuses are made by the code that writes them, from all values of the enumerations: a new reason makes a new object.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import yaml

from provisioner_operator.api.v1alpha1.enums import (
    CancelReason,
    DaemonState,
    EndReason,
    PendingReason,
    Phase,
    TemplateReason,
    Transition,
    WorkspacePhase,
    WorkspaceReason,
)
from provisioner_operator.api.v1alpha1.names import API_VERSION, QUEUE_NAME
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.decisions import RecordGeneration
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import EndedJob, Job
from provisioner_operator.core.pools.members import Trouble
from provisioner_operator.core.pools.status import PodCounts, status_of, status_patch
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus, queue_status
from provisioner_operator.core.workspaces.records import WorkspaceStatus
from provisioner_operator.core.workspaces.status import (
    object_conditions,
    template_status_patch,
    workspace_status_patch,
)
from support.builders import workspaces as records
from support.builders.core import NOON
from support.builders.pools import a_pool
from support.builders.written_jobs import (
    acknowledge,
    after,
    apply,
    assign,
    begin_cancel,
    complete,
    deleting,
    edited,
    finish,
    stopped,
    suspend,
    withdraw,
)
from support.manifests import CRDS, Manifest

HEALTHY, PROGRESSING, DEGRADED, SUSPENDED = "Healthy", "Progressing", "Degraded", "Suspended"
"""Health as Argo CD names it."""
_JUDGMENTS = {"ready": HEALTHY, "under-way": PROGRESSING, "stalled": DEGRADED}
"""The ways in which the controller judges a workspace or a template."""
_FAILURES = [each for each in EndReason if each not in {EndReason.COMPLETED, EndReason.CANCELED}]
_BEFORE_THE_START = {EndReason.PENDING_TIMEOUT, EndReason.NOT_WORKSPACE_OWNER}
_BY_THE_CONTROLLER = (CancelReason.DAEMON_GONE, CancelReason.DAEMON_UNRESPONSIVE)


@dataclass(frozen=True, slots=True)
class JudgedObject:
    """An object, with the health that it should have."""

    name: str
    """Words that distinguish it from the others of its kind, in kebab case."""
    body: Manifest
    health: str

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.body["kind"])

    @property
    def message(self) -> str:
        """Message that explains its health: that of its condition, with the reason if somebody has to act."""
        if self.kind == "ProvisionerDaemon":
            return f"The daemon is {self.body['status']['state']}."
        if self.body["status"].get("observedGeneration") not in {None, self.body["metadata"]["generation"]}:
            return "The controller has not observed the latest change of this workspace yet."
        conditions = {each["type"]: each for each in self.body["status"]["conditions"]}
        if self.health == DEGRADED:
            return f"{conditions['Stalled']['reason']}: {conditions['Stalled']['message']}"
        return str(conditions["Ready"]["message"])


def jobs() -> Iterator[JudgedObject]:
    """Jobs in each phase, for each reason."""
    new = _object("ProvisionerJob", "dev-7", _JOB_SPEC)
    yield JudgedObject("unobserved", new, PROGRESSING)
    yield from _pending(new)
    running = after(new, assign, acknowledge)
    yield JudgedObject("running", running, PROGRESSING)
    completed = after(running, complete)
    yield JudgedObject("completed", completed, HEALTHY)
    changed = edited(completed, ttlSecondsAfterFinished=60)
    yield JudgedObject("completed-changed", apply(changed, _record_generation(changed)), HEALTHY)
    for reason in _FAILURES:
        failed = (
            after(new, _end(reason)) if reason in _BEFORE_THE_START else after(running, finish(Phase.FAILED, reason))
        )
        yield JudgedObject(f"failed-{_kebab(reason)}", failed, DEGRADED)
    yield from _canceled(new, running)


def changed_after_its_end() -> Manifest:
    """Return a completed job whose spec was changed, before the controller has recorded that."""
    new = _object("ProvisionerJob", "dev-7", _JOB_SPEC)
    return edited(after(new, assign, acknowledge, complete), ttlSecondsAfterFinished=60)


def workspaces() -> Iterator[JudgedObject]:
    """Workspaces in each phase, for each reason and each judgment of the controller."""
    new = _object("Workspace", "dev", _WORKSPACE_SPEC)
    yield JudgedObject("unobserved", new, PROGRESSING)
    for phase, reason, judgment in product(WorkspacePhase, WorkspaceReason, _JUDGMENTS):
        body = _workspace(new, phase, reason, judgment)
        yield JudgedObject(f"{_kebab(phase)}-{_kebab(reason)}-{judgment}", body, _JUDGMENTS[judgment])
    ready = _workspace(new, WorkspacePhase.RUNNING, WorkspaceReason.UP_TO_DATE, "ready")
    yield JudgedObject("changed", edited(ready, running=False), PROGRESSING)
    stopped_after_a_time = _workspace(new, WorkspacePhase.STOPPED, WorkspaceReason.UP_TO_DATE, "ready")
    running = stopped_after_a_time["spec"] | {"running": True}
    yield JudgedObject("autostopped", stopped_after_a_time | {"spec": running}, HEALTHY)


def templates() -> Iterator[JudgedObject]:
    """Templates for each reason and each judgment of the controller."""
    new = _object("WorkspaceTemplate", "machine", _TEMPLATE_SPEC)
    yield JudgedObject("unobserved", new, PROGRESSING)
    for reason, judgment in product(TemplateReason, _JUDGMENTS):
        record = records.a_template()
        status = replace(record.status, observed_generation=1, conditions=_conditions(reason, judgment))
        body = _with_status(new, template_status_patch(record, status))
        yield JudgedObject(f"{_kebab(reason)}-{judgment}", body, _JUDGMENTS[judgment])


def pools() -> Iterator[JudgedObject]:
    """Pools for each reason."""
    new = _object("ProvisionerPool", "on-prem", _POOL_SPEC)
    yield JudgedObject("unobserved", new, PROGRESSING)
    crash, full = Trouble("CrashLoopBackOff", "It crashes."), Trouble("Unschedulable", "No node has room.")
    for name, counts, health in (
        ("ready", PodCounts(wanted=2, present=2, ready=2), HEALTHY),
        ("scaled-to-zero", PodCounts(), HEALTHY),
        ("draining-more", PodCounts(wanted=1, present=2, ready=1, draining=1), HEALTHY),
        ("scaling-up", PodCounts(wanted=2, present=1, ready=1), PROGRESSING),
        ("rolling-out", PodCounts(wanted=2, present=2, ready=1, outdated=1), PROGRESSING),
        ("unschedulable", PodCounts(wanted=1, present=1, trouble=full), PROGRESSING),
        ("pods-failing", PodCounts(wanted=1, present=1, trouble=crash), DEGRADED),
        ("pods-failing-oddly", PodCounts(wanted=1, present=1, trouble=replace(crash, reason="?!")), DEGRADED),
        ("write-refused", PodCounts(wanted=1, present=1, ready=1, refused="A policy refuses it."), DEGRADED),
    ):
        yield JudgedObject(name, _pool(new, counts), health)
    gone = deleting(new)
    yield JudgedObject("draining", _pool(gone, PodCounts(present=1, busy=1, draining=1), deleting=True), PROGRESSING)


def queues() -> Iterator[JudgedObject]:
    """Policies of queues, before and after the controller has observed them."""
    new = _object("ProvisionerQueue", QUEUE_NAME, {"fairness": {"by": "Initiator"}})
    yield JudgedObject("unobserved", new, PROGRESSING)
    record = Queue("acme", QUEUE_NAME, "uid", 1, 1, QueuePolicy())
    patch = UpdateQueueStatus(record, queue_status(record, NamespaceQueue(), NOON)).patch()
    yield JudgedObject("in-force", _with_status(new, patch), HEALTHY)


def daemons() -> Iterator[JudgedObject]:
    """Daemons in each state; kstatus judges them by their heartbeats alone."""
    for state in DaemonState:
        body = _object("ProvisionerDaemon", "on-prem-x7k2p", {"provisioners": ["terraform"]})
        body["spec"]["cordoned"] = state is DaemonState.DRAINING
        body["status"] = {"state": str(state)}
        works = state in {DaemonState.IDLE, DaemonState.BUSY}
        yield JudgedObject(_kebab(state), body, HEALTHY if works else PROGRESSING)


KINDS: Mapping[str, Callable[[], Iterator[JudgedObject]]] = {
    "ProvisionerJob": jobs,
    "Workspace": workspaces,
    "WorkspaceTemplate": templates,
    "ProvisionerPool": pools,
    "ProvisionerQueue": queues,
    "ProvisionerDaemon": daemons,
}
"""The objects of each kind."""

_JOB_SPEC: Manifest = {
    "type": "WorkspaceBuild",
    "transition": "Start",
    "tags": {},
    "variables": [{"name": "region", "value": "us"}],
    "variablesFrom": [],
    "priority": 0,
    "cancelMode": "Graceful",
}
_WORKSPACE_SPEC: Manifest = {"templateRef": {"name": "machine"}, "running": True, "rebuildGeneration": 0, "tags": {}}
_TEMPLATE_SPEC: Manifest = {"source": {"files": {"main.tf": ""}}, "importGeneration": 0, "tags": {}}
_POOL_SPEC: Manifest = {"tags": {"environment": "on-prem"}, "replicas": 2}


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    """Return an object as the API server has it before the controller has observed it."""
    defaults = {"provisioner": "echo", "cancel": False, "suspend": False, "workspaceRef": {"name": "dev"}}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "acme",
            "uid": f"uid-of-{name}",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": timestamp(NOON),
        },
        "spec": (defaults if kind == "ProvisionerJob" else {}) | spec,
        "status": _default_status(kind),
    }


def _default_status(kind: str) -> Manifest:
    definition = yaml.safe_load((CRDS / f"provisioner.dev_{kind.lower()}s.yaml").read_text(encoding="utf-8"))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    status: Manifest = schema["properties"]["status"]["default"]
    return status


def _pending(new: Manifest) -> Iterator[JudgedObject]:
    yield JudgedObject("pending-assigned", after(new, assign), PROGRESSING)
    for reason in PendingReason:
        if reason is PendingReason.SUSPENDED:
            yield JudgedObject("pending-suspended", after(edited(new, suspend=True), suspend), SUSPENDED)
        elif reason is PendingReason.BEING_DELETED:
            yield JudgedObject("pending-being-deleted", after(deleting(new), withdraw), PROGRESSING)
        else:
            yield JudgedObject(f"pending-{_kebab(reason)}", after(new, _explain(reason)), PROGRESSING)


def _canceled(new: Manifest, running: Manifest) -> Iterator[JudgedObject]:
    never_started = after(edited(new, cancel=True), _cancel(CancelReason.NEVER_STARTED))
    yield JudgedObject("canceled-never-started", never_started, DEGRADED)
    canceling = after(edited(running, cancel=True), begin_cancel)
    yield JudgedObject("canceling", canceling, PROGRESSING)
    yield JudgedObject("canceled-stopped", after(canceling, stopped), DEGRADED)
    yield JudgedObject("completed-too-late", after(canceling, complete), HEALTHY)
    for reason in _BY_THE_CONTROLLER:
        yield JudgedObject(f"canceled-{_kebab(reason)}", after(canceling, _cancel(reason)), DEGRADED)


def _explain(reason: PendingReason) -> Callable[[Job], JsonPatch]:
    return lambda job: status_writes.set_pending_reason(job, reason, f"It waits: {reason}.", NOON + 1)


def _end(reason: EndReason) -> Callable[[Job], JsonPatch]:
    return lambda job: status_writes.end(job, Phase.FAILED, reason, f"It ended: {reason}.", NOON + 9)


def _cancel(reason: CancelReason) -> Callable[[Job], JsonPatch]:
    return lambda job: status_writes.cancel(job, reason, f"It was canceled: {reason}.", NOON + 9)


def _record_generation(body: Manifest) -> JsonPatch:
    meta = body["metadata"]
    ended = EndedJob(meta["namespace"], meta["name"], meta["uid"], 1, unobserved_generation=meta["generation"])
    return RecordGeneration(ended).patch(NOON)


def _conditions(reason: str, judgment: str) -> Any:
    return object_conditions(
        (),
        ready=judgment == "ready",
        reason=reason,
        message=f"It is so: {reason}.",
        under_way=judgment == "under-way",
        now=NOON,
    )


def _workspace(new: Manifest, phase: WorkspacePhase, reason: WorkspaceReason, judgment: str) -> Manifest:
    is_stopped = phase is WorkspacePhase.STOPPED
    build = records.a_build(transition=Transition.STOP if is_stopped else Transition.START)
    new = new | {"spec": new["spec"] | {"running": not is_stopped}}
    status = WorkspaceStatus(
        phase=phase,
        build_number=1,
        latest_build=build.record,
        observed_generation=1,
        conditions=_conditions(reason, judgment),
    )
    return _with_status(new, workspace_status_patch(records.a_workspace(), status))


def _pool(new: Manifest, counts: PodCounts, **fields: Any) -> Manifest:
    pool = a_pool(**fields)
    return _with_status(new, status_patch(pool, status_of(pool, counts, queued=0, mean_run=None, now=NOON)))


def _with_status(new: Manifest, patch: JsonPatch) -> Manifest:
    ((path, status),) = patch.sets
    assert path == "/status"
    return {**new, "status": json.loads(json.dumps(status))}  # as the API server returns it


def _kebab(word: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in word).lstrip("-")
