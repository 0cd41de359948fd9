"""The gauge of runs that have gone on for longer than nearly all of those like them, long before their deadlines.

Which runs are alike is learned from the jobs that end, and from some of those that had ended before the process began: on each
replica, so that the next leader knows as much.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from provisioner_operator.controller import clock
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.estimates.run_length import estimate_run
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job

_MOST_FOUND = 5_000
"""Ended jobs that are parsed for their runs after the start: there may be very many."""
_NAMESPACES_SHOWN = 200
"""Namespaces that have a time series of their own."""


class OverlongRuns(Collector):
    """Knows how long runs take, and counts those that take longer."""

    def __init__(self, jobs: Callable[[], Iterable[Job]], leads: Callable[[], bool]) -> None:
        self._jobs = jobs
        self._leads = leads
        self._history = RunHistory()
        self._left = _MOST_FOUND

    def ended(self, job: Job) -> None:
        """Learn from a job that has just ended."""
        self._history.observe_end(job)

    def found(self, body: Mapping[str, Any]) -> None:
        """Learn from a job that had ended before."""
        if self._left:
            self._left -= 1
            with suppress(UnparseableObjectError):
                self._history.observe_end(parse_job(body))

    @override
    def collect(self) -> Iterator[Metric]:
        """Measure the gauge."""
        if not self._leads():
            return
        found = GaugeMetricFamily(
            "provisioner_jobs_overlong",
            "Running jobs that have run for longer than 99 % of at least 99 runs like them (same template and transition, or the same tags), by namespace; only namespaces where jobs run.",
            labels=["namespace"],
        )
        now, counts = clock.read().wall, Counter[str]()
        for job in self._jobs():
            if job.phase in STARTED:
                run = estimate_run(job, self._history, now)
                counts[job.namespace] += run is not None and run.is_overlong
        for namespace, count in islice(counts.items(), _NAMESPACES_SHOWN):
            found.add_metric([namespace], count)
        yield found
