"""The metrics that Prometheus reads: the process's registry, with counters that are fed where things happen.

Only the leader counts jobs and shows the state of the cluster; the others report zero or nothing. A sum over all replicas
therefore counts every job, daemon and write exactly once. Labels are bounded: no job, user or message is ever one.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from provisioner_operator.controller.telemetry.job_metrics import JobMetrics
from provisioner_operator.controller.telemetry.overlong_runs import OverlongRuns
from provisioner_operator.controller.telemetry.state_collector import StateCollector
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers

_LATENCY_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)
_KINDS = ("ProvisionerJob", "ProvisionerDaemon", "ProvisionerPool", "WorkspaceTemplate", "Workspace", "Pod")
"""Kinds that are parsed: each has a time series before the first object that cannot be, which is an increase only then."""

# Otherwise each counter has a second series with the time of its creation, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The process's registry and everything in it."""

    def __init__(self, reconcilers: Reconcilers, leads: Callable[[], bool], decides: Callable[[], bool]) -> None:
        """`leads` is for the counts of one leader, `decides` whether it also decides at this moment."""
        self.registry = CollectorRegistry()
        self.jobs = JobMetrics(self.registry)
        self.writes = Counter(
            "provisioner_api_writes",
            "Write requests to the API server, by kind of write and result.",
            ["kind", "result"],
            registry=self.registry,
        )
        self.loop_latency = Histogram(
            "provisioner_loop_seconds",
            "Duration of one round of the decision loop.",
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.unparseable = Counter(
            "provisioner_unparseable_objects",
            "Versions of objects that were ignored because they do not fit their schema, by kind.",
            ["kind"],
            registry=self.registry,
        )
        for kind in _KINDS:
            self.unparseable.labels(kind)
        ProcessCollector(registry=self.registry)
        self.registry.register(StateCollector(reconcilers, leads, decides))
        self.overlong = OverlongRuns(reconcilers.jobs.jobs, leads)
        self.registry.register(self.overlong)
