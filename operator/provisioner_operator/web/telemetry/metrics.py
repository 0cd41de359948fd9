"""The metrics that Prometheus reads: the process's registry, with counters that are fed where things happen.

Every replica counts its own requests and has its own index. Labels are bounded: a route is a pattern of this program,
and no user, token or object is ever one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)

# Otherwise each counter has a second series with the time of its creation, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of a server at the time of a scrape."""

    objects: Mapping[str, int]
    """Number of objects in the index, by plural of their kind."""
    is_ready: bool
    stale_seconds: float
    streams: int


class Metrics:
    """The process's registry and everything in it."""

    def __init__(self, state: Callable[[], ServerState]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "provisioner_web_requests",
            "Requests, by route, method and status code; 401, 403 and 429 are denials.",
            ["route", "method", "code"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "provisioner_web_request_seconds",
            "Time from a request to the first byte of its answer, by route.",
            ["route"],
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.registry.register(_StateCollector(state))


class _StateCollector(Collector):
    def __init__(self, state: Callable[[], ServerState]) -> None:
        self._state = state

    @override
    def collect(self) -> Iterable[Metric]:
        """Yield the gauges as they are now."""
        state = self._state()
        objects = GaugeMetricFamily("provisioner_web_index_objects", "Objects in the index, by kind.", labels=["kind"])
        for kind, count in state.objects.items():
            objects.add_metric([kind], count)
        yield objects
        yield GaugeMetricFamily(
            "provisioner_web_index_ready", "1 if every kind has been listed, 0 while the index loads.", state.is_ready
        )
        yield GaugeMetricFamily(
            "provisioner_web_index_stale_seconds",
            "Time since the index was last in contact with the API server.",
            state.stale_seconds,
        )
        yield GaugeMetricFamily(
            "provisioner_web_streams", "Open streams: server-sent events and WebSockets.", state.streams
        )
