"""Counters and histograms of jobs: how long they wait and run, and how they end.

Fed by the controller's observer with each change of a job that it sees while it leads.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, Phase
from provisioner_operator.controller.telemetry.reason_label import reason_label
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job

_WAIT_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 900, 1800)
"""Coder's buckets for its queue wait, so that dashboards carry over."""
_RUN_BUCKETS = (1, 10, 30, 60, 300, 600, 1800, 3600)
"""Coder's buckets for its job timings."""
_TIMEOUTS = frozenset(
    {EndReason.PENDING_TIMEOUT, EndReason.DEADLINE_EXCEEDED, EndReason.STALLED, EndReason.DAEMON_LOST}
)


class JobMetrics:
    """Counts jobs as they start and end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._wait = Histogram(
            "provisioner_job_wait_seconds",
            "Time from a job's creation to its start.",
            ["type", "provisioner"],
            buckets=_WAIT_BUCKETS,
            registry=registry,
        )
        self._run = Histogram(
            "provisioner_job_run_seconds",
            "Time from a job's start to its end.",
            ["type", "provisioner", "phase"],
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self._ended = Counter(
            "provisioner_jobs_ended",
            "Jobs that ended, by final phase and reason.",
            ["phase", "reason"],
            registry=registry,
        )
        self._timeouts = Counter(
            "provisioner_job_timeouts",
            "Jobs that ended because of a timeout or the loss of their daemon, by reason.",
            ["reason"],
            registry=registry,
        )
        self._cancels = Counter(
            "provisioner_job_cancels",
            "Jobs that ended after a cancel was requested, by the result of the cancel.",
            ["result"],
            registry=registry,
        )

    def changed(self, previous: Job, job: Job) -> None:
        """Count the start or the end of a job that changed from `previous`."""
        if previous.phase is job.phase:
            return
        type_, provisioner = job.type.value, job.demand.provisioner.value
        # A clock that was set back must not make a duration negative.
        if previous.phase is Phase.PENDING and job.started is not None:
            self._wait.labels(type_, provisioner).observe(max(job.started - job.created, 0))
        if job.phase not in TERMINAL:
            return
        if job.started is not None and job.finished is not None:
            self._run.labels(type_, provisioner, job.phase.value).observe(max(job.finished - job.started, 0))
        reason = reason_label(job.reason, EndReason)
        self._ended.labels(job.phase.value, reason).inc()
        if reason in _TIMEOUTS:
            self._timeouts.labels(reason).inc()
        if job.cancel:
            requested = next((each for each in job.conditions if each.type == "CancelRequested"), None)
            self._cancels.labels(reason_label(requested.reason if requested else None, CancelReason)).inc()
