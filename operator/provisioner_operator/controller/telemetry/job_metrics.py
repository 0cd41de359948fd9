"""Counters and histograms of jobs: how long they wait and run, and how they end.

Fed by the controller's observer with each change of a job that it sees while it leads. Reasons are there from the start
with zero, where an alert looks for an increase: Prometheus sees none in a time series that begins with one.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, Phase
from provisioner_operator.controller.telemetry.frequent_labels import FrequentLabels, Values
from provisioner_operator.controller.telemetry.reason_label import UNKNOWN, reason_label
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job

WAIT_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 900, 1800)
"""Coder's buckets for its queue wait, so that dashboards carry over."""
_RUN_BUCKETS = (1, 10, 30, 60, 300, 600, 1800, 3600)
"""Coder's buckets for its job timings."""
_STAGES = frozenset({"fetch", "init", "validate", "inspect", "plan", "apply", "destroy", "echo"})
"""Stages that daemons run; they report them as free text."""
_NAMED = 200
"""Pairs of namespace and template, and namespaces, that have time series of their own."""


class JobMetrics:
    """Counts jobs as they start and end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._wait = Histogram(
            "provisioner_job_wait_seconds",
            "Time from a job's creation to its start.",
            ["type", "provisioner"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._dispatch = Histogram(
            "provisioner_job_dispatch_seconds",
            "Time to a job's start since nothing but a free daemon was missing: since its creation, its resumption, or the end of what went first in its workspace.",
            ["namespace", "provisioner"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._run = Histogram(
            "provisioner_job_run_seconds",
            f"Time from a job's start to its end. The {_NAMED} most frequent pairs of namespace and template are named, others are `other`.",
            ["type", "provisioner", "phase", "namespace", "template"],
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self._stage = Histogram(
            "provisioner_job_stage_seconds",
            "Duration of a stage of a run, counted when the job ends.",
            ["stage"],
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self._ended = Counter(
            "provisioner_jobs_ended",
            f"Jobs that ended, by final phase and reason. The {_NAMED} most frequent pairs of namespace and template are named, others are `other`.",
            ["phase", "reason", "namespace", "template"],
            registry=registry,
        )
        self._failures = _failures(registry)
        self._cancels = _cancels(registry)
        self._pairs = FrequentLabels(_NAMED, self._retire_pair)
        self._namespaces = FrequentLabels(_NAMED, self._retire_namespace)

    def changed(
        self, previous: Job, job: Job, *, claimable: float | None = None, ended: EndedRun | None = None
    ) -> None:
        """Count the start or the end of a job that changed from `previous`.

        Args:
            previous: The job as it was known before.
            job: The job as it is now.
            claimable: The time since which it could be assigned; its creation if None.
            ended: Further facts about a job that ended.
        """
        if previous.phase is job.phase:
            return
        if previous.phase is Phase.PENDING and job.started is not None:
            self._count_start(job, job.started, job.created if claimable is None else claimable)
        if job.phase in TERMINAL:
            self._count_end(job, ended or EndedRun())

    def _count_start(self, job: Job, started: float, claimable: float) -> None:
        provisioner = job.demand.provisioner.value
        (namespace,) = self._namespaces.of(job.namespace)
        # A clock that was set back, or a daemon's that is behind, must not make a duration negative.
        self._wait.labels(job.type.value, provisioner).observe(max(started - job.created, 0))
        self._dispatch.labels(namespace, provisioner).observe(max(started - claimable, 0))

    def _count_end(self, job: Job, ended: EndedRun) -> None:
        pair = self._pairs.of(job.namespace, ended.template or "")
        if job.started is not None and job.finished is not None:
            kind = (job.type.value, job.demand.provisioner.value, job.phase.value)
            self._run.labels(*kind, *pair).observe(max(job.finished - job.started, 0))
        reason = reason_label(job.reason, EndReason)
        self._ended.labels(job.phase.value, reason, *pair).inc()
        if job.phase is Phase.FAILED:
            self._failures.labels(reason).inc()
        for each in ended.stages:
            if each.finished is not None:
                stage = each.stage if each.stage in _STAGES else UNKNOWN
                self._stage.labels(stage).observe(max(each.finished - each.started, 0))
        if job.cancel:
            requested = next((each for each in job.conditions if each.type == "CancelRequested"), None)
            self._cancels.labels(reason_label(requested.reason if requested else None, CancelReason)).inc()

    def _retire_pair(self, pair: Values) -> None:
        namespace, template = pair
        for metric in (self._run, self._ended):
            metric.remove_by_labels({"namespace": namespace, "template": template})

    def _retire_namespace(self, values: Values) -> None:
        (namespace,) = values
        self._dispatch.remove_by_labels({"namespace": namespace})


def _failures(registry: CollectorRegistry) -> Counter:
    failures = Counter(
        "provisioner_job_failures",
        "Jobs that failed, by reason. Each reason is there from the start.",
        ["reason"],
        registry=registry,
    )
    for reason in (*EndReason, UNKNOWN):
        if reason not in {EndReason.COMPLETED, EndReason.CANCELED}:
            failures.labels(reason)
    return failures


def _cancels(registry: CollectorRegistry) -> Counter:
    cancels = Counter(
        "provisioner_job_cancels",
        "Jobs that ended after a cancel was requested, by the result of the cancel. Each result is there from the start.",
        ["result"],
        registry=registry,
    )
    for result in (*CancelReason, UNKNOWN):
        cancels.labels(result)
    return cancels
