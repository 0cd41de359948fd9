"""From the API server's objects to the mirror: parse, store, wake the loop, count.

Everything observed comes through here, whether a watch, a list or the answer to a write brought it. An object that does
not fit its model is told about once per version and passed over; the rest goes on. Only who leads tells and counts, so
that events, logs and sums over all controllers say everything once.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry import events
from provisioner_operator.controller.telemetry.events import EventRecorder, Notice
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.wake import Wake
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.kube.errors import BusyError
from provisioner_operator.kube.parsing import UnparseableObjectError, job_record, parse_daemon, parse_job_model
from provisioner_operator.kube.pod_parsing import parse_daemon_pod
from provisioner_operator.kube.pool_parsing import parse_pool, parse_pool_pod
from provisioner_operator.kube.workspace_parsing import build_of, import_of, parse_template, parse_workspace

_logger = logging.getLogger(__name__)


class Observer:
    """The only writer of the mirror's knowledge."""

    def __init__(
        self,
        reconcilers: Reconcilers,
        metrics: Metrics,
        recorder: EventRecorder,
        leads: Callable[[], bool],
    ) -> None:
        self._jobs = reconcilers.jobs
        self._pools = reconcilers.pools
        self._workspaces = reconcilers.workspaces
        self._metrics = metrics
        self._recorder = recorder
        self._leads = leads
        self._told: dict[str, str] = {}
        self._in_contact = True
        self.wake = Wake()
        """Set when there may be something to decide."""

    def job(self, body: Mapping[str, Any]) -> Job | None:
        """A job as the API server has it; None if it cannot be parsed."""
        try:
            model = parse_job_model(body)
        except UnparseableObjectError as error:
            self._unparseable("ProvisionerJob", body, error)
            return None
        job = job_record(model)
        self._take_note_of_build(model)
        previous = self._jobs.job(job.uid)
        if self._jobs.observe_job(job, clock.read()):
            if previous is not None:
                self._job_changed(previous, job)
            self.wake.set()
        return job

    def build(self, body: Mapping[str, Any]) -> None:
        """A job of a workspace or template as it was read or made for these, perhaps older news than its watch has told."""
        try:
            self._take_note_of_build(parse_job_model(body))
        except UnparseableObjectError as error:
            self._unparseable("ProvisionerJob", body, error)

    def job_shown(self, body: Mapping[str, Any]) -> None:
        """A job as its watch shows it: each version of it in order, to its end."""
        meta = body["metadata"]
        known = self._jobs.job(meta["uid"])
        if known is not None and int(meta["resourceVersion"]) <= known.resource_version:
            return  # the answer to our own write came first
        job = self.job(body)
        if job is not None and job.phase in TERMINAL:
            self._jobs.job_left(job.uid)

    def job_deleted(self, uid: str) -> None:
        """The job's object is gone."""
        self._told.pop(uid, None)
        self._jobs.job_deleted(uid, clock.read())
        self._workspaces.job_deleted(uid)
        self.wake.set()

    def daemon(self, body: Mapping[str, Any], *, fresh: bool = False) -> None:
        """A daemon as the API server has it; `fresh` if it was read just now."""
        try:
            daemon = parse_daemon(body)
        except UnparseableObjectError as error:
            self._unparseable("ProvisionerDaemon", body, error)
            return
        if self._jobs.observe_daemon(daemon, clock.read(), fresh=fresh):
            self.wake.set()

    def daemon_deleted(self, uid: str) -> None:
        """The daemon's object is gone."""
        self._told.pop(uid, None)
        self._jobs.daemon_deleted(uid, clock.read())
        self.wake.set()

    def pod(self, body: Mapping[str, Any]) -> None:
        """A Pod that is a daemon, as the API server has it."""
        try:
            pool_pod = parse_pool_pod(body)
            if pool_pod is not None and self._pools.observe_pod(pool_pod, int(body["metadata"]["resourceVersion"])):
                self.wake.set()
            pod = parse_daemon_pod(body)
        except UnparseableObjectError as error:
            self._unparseable("Pod", body, error)
            return
        if self._jobs.observe_pod(pod, clock.read()):
            self.wake.set()

    def pod_deleted(self, uid: str, namespace: str, last: Mapping[str, Any] | None = None) -> None:
        """The Pod's object is gone; `last` is its last version, if that is known."""
        self._told.pop(uid, None)
        pod = None
        if last is not None:
            with suppress(UnparseableObjectError):
                pod = parse_daemon_pod(last, deleted=True)
        self._jobs.pod_deleted(uid, namespace, pod, clock.read())
        self._pools.pod_deleted(uid)
        self.wake.set()

    def pool(self, body: Mapping[str, Any]) -> None:
        """A pool, as the API server has it."""
        try:
            pool = parse_pool(body)
        except UnparseableObjectError as error:
            self._unparseable("ProvisionerPool", body, error)
            return
        if self._pools.observe_pool(pool, clock.read()):
            self.wake.set()

    def pool_deleted(self, uid: str) -> None:
        """The pool's object is gone."""
        self._told.pop(uid, None)
        self._pools.pool_deleted(uid, clock.read())
        self.wake.set()

    def template(self, body: Mapping[str, Any]) -> None:
        """A template, as the API server has it."""
        try:
            template = parse_template(body)
        except UnparseableObjectError as error:
            self._unparseable("WorkspaceTemplate", body, error)
            return
        if self._workspaces.observe_template(template):
            self.wake.set()

    def template_deleted(self, uid: str) -> None:
        """The template's object is gone."""
        self._told.pop(uid, None)
        self._workspaces.template_deleted(uid)
        self.wake.set()

    def workspace(self, body: Mapping[str, Any]) -> None:
        """A workspace, as the API server has it."""
        try:
            workspace = parse_workspace(body)
        except UnparseableObjectError as error:
            self._unparseable("Workspace", body, error)
            return
        if self._workspaces.observe_workspace(workspace):
            self.wake.set()

    def workspace_deleted(self, uid: str) -> None:
        """The workspace's object is gone."""
        self._told.pop(uid, None)
        self._workspaces.workspace_deleted(uid)
        self.wake.set()

    def refused(self, decision: Decision, refusal: Refusal) -> None:
        """The API server refuses a write: whoever owns the object has to know."""
        self._recorder.tell(events.refused(decision, refusal))

    def contact_lost(self, error: Exception) -> None:
        """A request found no API server; one that says that it is busy is there."""
        if isinstance(error, BusyError):
            self.contact()
            return
        if self._in_contact:
            _logger.warning("Lost contact with the API server; nothing is judged until it is back: %s", error)
        self._in_contact = False

    def contact(self) -> None:
        """A request was answered."""
        if not self._in_contact:
            self._in_contact = True
            _logger.info("The API server answers again; every daemon gets a full period to report")
            self._jobs.contact_regained(clock.read())
            self.wake.set()

    @property
    def in_contact(self) -> bool:
        """Whether the last request was answered."""
        return self._in_contact

    def _take_note_of_build(self, model: ProvisionerJob) -> None:
        if (build := build_of(model)) is not None and self._workspaces.observe_build(build):
            self.wake.set()
        if (imported := import_of(model)) is not None and self._workspaces.observe_import(imported):
            self.wake.set()

    def _job_changed(self, previous: Job, job: Job) -> None:
        if job.phase in TERMINAL:
            self._pools.run_ended(job)
        if not self._leads():
            return
        self._metrics.changed(previous, job)
        if previous.phase is job.phase:
            if job.reason in STUCK and previous.reason != job.reason:
                self._recorder.tell(events.stuck(job))
            return
        extra = {"job": job.display_name, "phase": job.phase, "reason": job.reason}
        _logger.info("Job %s is %s", job.display_name, job.phase, extra=extra)
        if job.phase in TERMINAL and (notice := events.ended(job)) is not None:
            self._recorder.tell(notice)

    def _unparseable(self, kind: str, body: Mapping[str, Any], error: UnparseableObjectError) -> None:
        meta = body.get("metadata") or {}
        namespace, name, uid = (str(meta.get(key, "")) for key in ("namespace", "name", "uid"))
        self._jobs.park(uid)
        if self._told.get(uid) == meta.get("resourceVersion") or not self._leads():
            return
        self._told[uid] = str(meta.get("resourceVersion"))
        self._metrics.unparseable.labels(kind).inc()
        is_pod = kind == "Pod"
        misfit = "is labelled as a daemon, but cannot be one" if is_pod else f"does not fit {kind} of this version"
        note = f"Passed over: this object {misfit}: {error}. Correct or delete it."
        _logger.error("%s %s/%s: %s", kind, namespace, name, note, extra={"object": f"{namespace}/{name}"})
        version = "v1" if is_pod else API_VERSION
        self._recorder.tell(Notice(kind, namespace, name, uid, "Unparseable", note, "Parse", api_version=version))
