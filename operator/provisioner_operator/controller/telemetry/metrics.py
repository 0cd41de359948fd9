"""What Prometheus reads: counted where things happen, measured from the mirror when it is scraped.

Only who leads shows what the cluster holds, so that sums over all controllers are true. Labels are bounded: no job, user or message is ever one. Demands are, up to a limit, since "which tags wait" is what an
admin has to know.
"""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase, WorkspacePhase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers

_PREFIX = "provisioner"
_WAIT_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 900, 1800)
"""Coder's buckets for its queue wait, so that dashboards carry over."""
_RUN_BUCKETS = (1, 10, 30, 60, 300, 600, 1800, 3600)
"""Coder's buckets for its job timings."""
_LATENCY_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)
_DEMANDS_SHOWN = 100
"""Demands beyond the deepest so many are left out, so that odd tags cannot flood the monitoring."""

_CLOCKS = frozenset({EndReason.PENDING_TIMEOUT, EndReason.DEADLINE_EXCEEDED, EndReason.STALLED, EndReason.DAEMON_LOST})


disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, of no use to anybody here


class Metrics:
    """The process's registry and everything in it."""

    def __init__(self, reconcilers: Reconcilers, leads: Callable[[], bool]) -> None:
        self.registry = CollectorRegistry()
        self._wait = Histogram(
            f"{_PREFIX}_job_wait_seconds",
            "Time from a job's creation to its start.",
            ["type", "provisioner"],
            buckets=_WAIT_BUCKETS,
            registry=self.registry,
        )
        self._run = Histogram(
            f"{_PREFIX}_job_run_seconds",
            "Time from a job's start to its end.",
            ["type", "provisioner", "phase"],
            buckets=_RUN_BUCKETS,
            registry=self.registry,
        )
        self._ended = Counter(f"{_PREFIX}_jobs_ended", "Jobs that ended.", ["phase", "reason"], registry=self.registry)
        self._timeouts = Counter(
            f"{_PREFIX}_job_timeouts",
            "Jobs that a clock or the loss of their daemon ended.",
            ["reason"],
            registry=self.registry,
        )
        self._cancels = Counter(
            f"{_PREFIX}_job_cancels", "Cancels that ended, by what became of them.", ["result"], registry=self.registry
        )
        self.writes = Counter(
            f"{_PREFIX}_api_writes",
            "Requests that change something, by kind and answer.",
            ["kind", "result"],
            registry=self.registry,
        )
        self.loop_latency = Histogram(
            f"{_PREFIX}_loop_seconds", "Time to decide once.", buckets=_LATENCY_BUCKETS, registry=self.registry
        )
        self.unparseable = Counter(
            f"{_PREFIX}_unparseable_objects", "Objects that do not fit their schema.", ["kind"], registry=self.registry
        )
        self.registry.register(_MirrorCollector(reconcilers, leads))

    def changed(self, previous: Job, job: Job) -> None:
        """A live job was observed in a new version."""
        if previous.phase is job.phase:
            return
        type_, provisioner = job.type.value, job.demand.provisioner.value
        if previous.phase is Phase.PENDING and job.started is not None:
            self._wait.labels(type_, provisioner).observe(max(job.started - job.created, 0))
        if job.phase not in TERMINAL:
            return
        if job.started is not None and job.finished is not None:
            self._run.labels(type_, provisioner, job.phase.value).observe(max(job.finished - job.started, 0))
        reason = job.reason or "Unknown"
        self._ended.labels(job.phase.value, reason).inc()
        if reason in _CLOCKS:
            self._timeouts.labels(reason).inc()
        if job.cancel:
            asked = next((each for each in job.conditions if each.type == "CancelRequested"), None)
            self._cancels.labels(asked.reason if asked is not None else "Unknown").inc()


class _MirrorCollector(Collector):
    """Gauges that are true at the moment of the scrape, and cost nothing between."""

    def __init__(self, reconcilers: Reconcilers, leads: Callable[[], bool]) -> None:
        self._jobs = reconcilers.jobs
        self._pools = reconcilers.pools
        self._workspaces = reconcilers.workspaces
        self._leads = leads

    @override
    def collect(self) -> Iterator[Metric]:
        """The gauges of now."""
        info = GaugeMetricFamily(f"{_PREFIX}_build_info", "The version that runs.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        leads = self._leads()
        yield GaugeMetricFamily(
            f"{_PREFIX}_leader", "1 if this process decides and writes, 0 if it stands by.", value=leads
        )
        if not leads:
            return
        phases = Tally(job.phase for job in self._jobs.jobs())
        jobs = GaugeMetricFamily(f"{_PREFIX}_jobs", "Jobs that have not ended, by phase.", labels=["phase"])
        for phase in Phase:
            if phase not in TERMINAL:
                jobs.add_metric([phase.value], phases[phase])
        yield jobs
        waiting = Tally(job.reason for job in self._jobs.jobs() if job.phase is Phase.PENDING and job.reason)
        reasons = GaugeMetricFamily(f"{_PREFIX}_jobs_pending", "Pending jobs by what they wait for.", labels=["reason"])
        for reason, count in waiting.items():
            reasons.add_metric([str(reason)], count)
        yield reasons
        states = Tally(daemon.state if online else DaemonState.OFFLINE for daemon, online in self._jobs.daemons())
        daemons = GaugeMetricFamily(f"{_PREFIX}_daemons", "Daemons by state.", labels=["state"])
        for state in DaemonState:
            daemons.add_metric([state.value], states[state])
        yield daemons
        yield from self._queues()
        yield self._pool_sizes()
        yield self._environments()

    def _environments(self) -> Metric:
        phases = Tally(workspace.status.phase for workspace in self._workspaces.workspaces())
        found = GaugeMetricFamily(f"{_PREFIX}_workspaces", "Workspaces by phase.", labels=["phase"])
        for phase in WorkspacePhase:
            found.add_metric([phase.value], phases[phase])
        return found

    def _pool_sizes(self) -> Metric:
        sizes = GaugeMetricFamily(
            f"{_PREFIX}_pool_daemons",
            "Daemons of a pool, as its status counts them.",
            labels=["namespace", "pool", "which"],
        )
        for pool in self._pools.pools():
            status = pool.status
            counts = {
                "wanted": status.desired_replicas,
                "present": status.replicas,
                "idle": status.idle,
                "busy": status.busy,
            }
            for which, count in counts.items():
                sizes.add_metric([pool.namespace, pool.name, which], count)
        return sizes

    def _queues(self) -> Iterator[Metric]:
        labels = ["namespace", "provisioner", "tags"]
        depth = GaugeMetricFamily(
            f"{_PREFIX}_queue_depth", "Jobs that wait for a daemon, by what they ask.", labels=labels
        )
        age = GaugeMetricFamily(f"{_PREFIX}_queue_oldest_seconds", "Age of the first job in that queue.", labels=labels)
        now = time.time()
        deepest = sorted(self._jobs.queue_depths().items(), key=lambda each: -each[1][0])[:_DEMANDS_SHOWN]
        for demand, (count, first) in deepest:
            values = [demand.namespace, demand.provisioner.value, format_tags(demand.tags)]
            depth.add_metric(values, count)
            age.add_metric(values, max(now - first.created, 0))
        yield depth
        yield age
