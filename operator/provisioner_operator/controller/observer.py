"""Observation: objects of the API server become records of the reconcilers, and the decision loop is woken.

Every object comes through here, whether a watch, a list or the answer to a write brought it. An object that does not fit
its model is reported once per version and ignored; the others are processed. Only the leader logs, counts and records
Events, so that each change is reported once, however many controllers observe it.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.controller import clock
from provisioner_operator.controller.observed_kinds import ObservedKind, ObservedKinds, Record
from provisioner_operator.controller.telemetry import events
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.telemetry.traces import EndTraces, is_recent
from provisioner_operator.controller.telemetry.unparseable import UnparseableReports
from provisioner_operator.controller.wake import Wake
from provisioner_operator.core.daemons.outage import Outage
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.decision import Decision
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.kube.errors import BusyError
from provisioner_operator.kube.job_parsing import JobRecords, parse_job_records
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job, unreadable_object
from provisioner_operator.kube.pod_parsing import parse_daemon_pod
from provisioner_operator.kube.pool_parsing import parse_pool_pod

_logger = logging.getLogger(__name__)


class Observer:
    """Passes what is observed to the reconcilers; nothing else adds to what they know of the cluster."""

    def __init__(
        self,
        reconcilers: Reconcilers,
        metrics: Metrics,
        recorder: EventRecorder,
        leads: Callable[[], bool],
        traces: EndTraces | None = None,
    ) -> None:
        self._jobs = reconcilers.jobs
        self._pools = reconcilers.pools
        self._workspaces = reconcilers.workspaces
        self._metrics = metrics
        self._recorder = recorder
        self._leads = leads
        self._traces = traces or EndTraces(None, leads)
        self._kinds = ObservedKinds(reconcilers, self._job_changed)
        self._unparseable = UnparseableReports(metrics, recorder, leads)
        self._outage = Outage()
        self.wake = Wake()
        """Set when there may be something to decide."""

    def job(self, body: Mapping[str, Any]) -> Job | None:
        """Observe a job; returns its record, None if it cannot be parsed."""
        records = self._observe(self._kinds.job, body)
        return None if records is None else records.job

    def job_watched(self, body: Mapping[str, Any]) -> None:
        """Observe a job as its watch reports it."""
        meta = object_meta(body)
        known = self._jobs.job(meta.uid)
        # The answer to this controller's own write often arrives before the watch reports the same version.
        if known is not None and meta.version <= known.resource_version:
            return
        self.job(body)

    def found_ended(self, body: Mapping[str, Any]) -> None:
        """Learn from a job that ended while no controller may have watched, and describe it."""
        self._metrics.overlong.found(body)
        finished = (body.get("status") or {}).get("finishedAt") if self._traces.is_on else None
        # The others, perhaps very many, need not be parsed.
        if finished is None or not is_recent(datetime.fromisoformat(finished).timestamp(), clock.read().wall):
            return
        with suppress(UnparseableObjectError):
            records = parse_job_records(body)
            if records.ended is not None:
                self._traces.ended(records.job, records.ended)

    def leadership_gained(self) -> None:
        """Note that this process leads from now on."""
        self._traces.leadership_gained(clock.read().wall)

    def build(self, body: Mapping[str, Any]) -> None:
        """Observe a job for its workspace or template alone: it may be older than what the watch has reported of it."""
        self._observe(self._kinds.build, body)

    def job_deleted(self, uid: str, last: Mapping[str, Any] | None = None) -> None:
        """Forget a job that was deleted; `last` is its last state, if known."""
        if last is not None:
            with suppress(UnparseableObjectError):
                if (build := parse_job_records(last).build) is not None:
                    self._workspaces.build_deleted(build)
        self._forget(self._kinds.job, uid)

    def daemon(self, body: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Observe a daemon; `fresh` if it was read from the API server just now."""
        self._observe(self._kinds.fresh_daemon if fresh else self._kinds.daemon, body)

    def daemon_deleted(self, uid: str, *, watched: bool = False) -> None:
        """Forget a daemon whose object was deleted; `watched` if a watch reports that."""
        self._forget(self._kinds.watched_daemon if watched else self._kinds.daemon, uid)

    def pool(self, body: Mapping[str, Any]) -> None:
        """Observe a pool."""
        self._observe(self._kinds.pool, body)

    def pool_deleted(self, uid: str) -> None:
        """Forget a pool that was deleted."""
        self._forget(self._kinds.pool, uid)

    def queue(self, body: Mapping[str, Any]) -> None:
        """Observe a queue's policy."""
        self._observe(self._kinds.queue, body)

    def queue_deleted(self, uid: str) -> None:
        """Forget a queue's policy that was deleted."""
        self._forget(self._kinds.queue, uid)

    def supply(self, body: Mapping[str, Any]) -> None:
        """Observe a ProvisionerSupply."""
        self._observe(self._kinds.supply, body)

    def supply_deleted(self, uid: str) -> None:
        """Forget a ProvisionerSupply that was deleted."""
        self._forget(self._kinds.supply, uid)

    def ended_job(self, body: Mapping[str, Any]) -> None:
        """Observe an ended job for its namespace's policy, which may be younger than the job's end."""
        with suppress(UnparseableObjectError):
            self._jobs.observe_ended(parse_job(body))
            self.wake.set()

    def template(self, body: Mapping[str, Any]) -> None:
        """Observe a template."""
        self._observe(self._kinds.template, body)

    def template_deleted(self, uid: str) -> None:
        """Forget a template that was deleted."""
        self._forget(self._kinds.template, uid)

    def workspace(self, body: Mapping[str, Any]) -> None:
        """Observe a workspace."""
        self._observe(self._kinds.workspace, body)

    def workspace_deleted(self, uid: str) -> None:
        """Forget a workspace that was deleted."""
        self._forget(self._kinds.workspace, uid)

    def pod(self, body: Mapping[str, Any]) -> None:
        """Observe a Pod that is a daemon."""
        try:
            # The member first: a Pod whose annotations make no daemon still counts in its pool.
            pool_pod = parse_pool_pod(body)
            if pool_pod is not None and self._pools.observe_pod(pool_pod, object_meta(body).version):
                self.wake.set()
            pod = parse_daemon_pod(body)
        except UnparseableObjectError as error:
            self._jobs.park(object_meta(body).uid)
            self._unparseable.report("Pod", body, error)
            return
        if self._jobs.observe_pod(pod, clock.read()):
            self.wake.set()

    def pod_deleted(self, uid: str, namespace: str, last: Mapping[str, Any] | None = None) -> None:
        """Forget a Pod that was deleted; `last` is the last version of its object, if known."""
        self._unparseable.forget(uid)
        pod = None
        if last is not None:
            with suppress(UnparseableObjectError):
                pod = parse_daemon_pod(last, deleted=True)
        self._jobs.pod_deleted(uid, namespace, pod, clock.read())
        self._pools.pod_deleted(uid, 0 if last is None else object_meta(last).version)
        self.wake.set()

    def refused(self, decision: Decision, refusal: Refusal) -> None:
        """Record an Event about a write that the API server refuses."""
        self._recorder.record(events.refused(decision, refusal))

    def accepted(self, decision: Decision) -> None:
        """Record an Event if the status that was written reports a new obstacle, drift, or the end of drift."""
        for notice in (events.stalled(decision), events.drifted(decision)):
            if notice is not None:
                self._recorder.record(notice)

    def contact_lost(self, error: Exception) -> None:
        """Note that a request did not reach the API server; one that was answered as busy did."""
        if isinstance(error, BusyError):
            self.contact()
            return
        if self._outage.failed():
            _logger.warning("A request did not reach the API server: %s", error)

    def contact(self) -> None:
        """Note that a request was answered."""
        now = clock.read()
        if (since := self._outage.answered(now.monotonic)) is not None:
            _logger.info("The API server answers again; heartbeats missed in the meantime do not count")
            self._jobs.contact_regained(since, now)
            self.wake.set()

    @property
    def in_contact(self) -> bool:
        """Whether the last request was answered."""
        return not self._outage.is_on

    def _observe(self, kind: ObservedKind[Record], body: Mapping[str, Any]) -> Record | None:
        try:
            record = kind.parse(body)
        except UnparseableObjectError as error:
            # An older version of the object that did parse must not be decided on any more.
            kind.park(unreadable_object(body))
            self._unparseable.report(kind.name, body, error)
            self.wake.set()  # others may depend on it: templates, and jobs of a workspace
            return None
        self._outage.observed(clock.read().monotonic)
        if kind.observe(record):
            self.wake.set()
        return record

    def _forget(self, kind: ObservedKind[Record], uid: str) -> None:
        self._unparseable.forget(uid)
        kind.forget(uid)
        self.wake.set()

    def _job_changed(self, previous: Job, records: JobRecords, claimable: float) -> None:
        job = records.job
        if job.phase in TERMINAL:
            self._pools.run_ended(job)
            if previous.phase is not job.phase:
                self._metrics.overlong.ended(job)
            if records.ended is not None and previous.phase is not job.phase:
                self._traces.ended(job, records.ended)
        if not self._leads():
            return
        self._metrics.jobs.changed(previous, job, claimable=claimable, ended=records.ended)
        if previous.phase is job.phase:
            if job.reason in STUCK and previous.reason != job.reason:
                self._recorder.record(events.stuck(job))
            return
        extra = {"job": job.display_name, "phase": job.phase, "reason": job.reason}
        _logger.info("Job %s is %s", job.display_name, job.phase, extra=extra)
        if job.phase in TERMINAL and (notice := events.ended(job)) is not None:
            self._recorder.record(notice)
        if job.phase is Phase.RUNNING and (short := self._pools.run_started(job)) is not None:
            self._recorder.record(events.grace_period_too_short(short))
