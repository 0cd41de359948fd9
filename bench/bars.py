"""Required results. Each bar is a limit for one value of a run, and is open if the run did not measure the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.floor import FLOOR
from bench.plan import counting
from bench.scenarios import accept, cancel, decision, idle, latency, life, stored
from bench.subjects import JOB, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan import Plan
    from bench.results import Results

SMALLEST_QUEUE, LARGEST_QUEUE = 1_000, 100_000
MEMORY_BARS_MB = {10_000: 130.0, 100_000: 600.0}
RESTART_JOBS = 10_000
CANCEL_JOBS = 300
MEDIAN = "p50"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, with the value of a run."""

    what: str
    value: float | None
    """None if this run did not measure it."""
    limit: float
    at_least: bool = False
    """Whether the limit is a minimum."""
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None if the value was not measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def bars(results: Results, plan: Plan) -> Iterator[Bar]:
    """Yield all bars, in the order of the table in docs/performance.md."""
    yield from _throughput(results, plan)
    yield from _latency(results)
    yield from _resources(results, plan)
    yield from _decisions(results, plan)
    yield from _restarts(results)
    yield from _idle(results)


def _throughput(results: Results, plan: Plan) -> Iterator[Bar]:
    burst = counting(plan.bursts)
    yield Bar(
        "assignments a second / the API server's own patches a second",
        results.ratio(accept.ASSIGNMENTS, OURS, accept.PATCHES, FLOOR),
        0.80,
        at_least=True,
    )
    yield Bar("writes a job after its creation", _most(results, life.WRITES, OURS), 3.0)
    yield Bar(
        f"jobs accepted a second / Pods of Jobs a second, burst of {burst}",
        results.ratio(accept.accepted_rate(burst), OURS, accept.accepted_rate(burst), JOB),
        1.5,
        at_least=True,
    )


def _latency(results: Results) -> Iterator[Bar]:
    accepted = f"{latency.ACCEPTED}, {MEDIAN}"
    yield Bar("submitted to accepted, idle, p50 / that of a Job", results.ratio(accepted, OURS, accepted, JOB), 1.0)
    yield Bar(
        "submitted to accepted, idle, p50 / one conditional patch",
        results.ratio(accepted, OURS, f"{latency.ROUND_TRIP}, {MEDIAN}", FLOOR),
        3.0,
    )
    canceled_after = results.value(cancel.canceled("p99", CANCEL_JOBS), OURS)
    yield Bar(
        f"cancel to Canceled, burst of {CANCEL_JOBS}, p99",
        None if canceled_after is None else canceled_after / 1000,
        2.0,
        unit="s",
    )
    canceled = f"{latency.CANCELED}, {MEDIAN}"
    yield Bar("cancel to Canceled, idle, p50 / a Job's suspension", results.ratio(canceled, OURS, canceled, JOB), 1.0)


def _resources(results: Results, plan: Plan) -> Iterator[Bar]:
    lives = counting(plan.lives)
    yield Bar(
        f"CPU a job: operator / API server, burst of {lives}",
        results.ratio(life.cpu(life.OPERATOR, lives), OURS, life.cpu(life.API_SERVER, lives), OURS),
        0.5,
    )
    for jobs, limit in MEMORY_BARS_MB.items():
        for state in (stored.PENDING, stored.ENDED):
            yield Bar(
                f"operator's memory, {jobs} jobs {state}",
                _most(results, stored.memory(jobs, state), OURS),
                limit,
                unit="MB",
            )


def _decisions(results: Results, plan: Plan) -> Iterator[Bar]:
    for tag_sets in plan.tag_sets:
        few, many = (decision.decision(queue, tag_sets) for queue in (SMALLEST_QUEUE, LARGEST_QUEUE))
        yield Bar(
            f"one decision, {LARGEST_QUEUE} pending / {SMALLEST_QUEUE} pending, {tag_sets} tag sets",
            results.ratio(many, OURS, few, OURS),
            1.3,
        )
    few, many = (
        decision.decision(queue, decision.TAG_SETS_OF_GROUPS, decision.GROUPS)
        for queue in (SMALLEST_QUEUE, LARGEST_QUEUE)
    )
    yield Bar(
        f"one decision, {LARGEST_QUEUE} pending / {SMALLEST_QUEUE} pending, {decision.GROUPS} groups",
        results.ratio(many, OURS, few, OURS),
        1.3,
    )


def _restarts(results: Results) -> Iterator[Bar]:
    for state in (stored.PENDING, stored.ENDED):
        yield Bar(
            f"start to first assignment, {RESTART_JOBS} jobs {state}",
            results.value(stored.restart(RESTART_JOBS, state), OURS),
            10.0,
            unit="s",
        )


def _idle(results: Results) -> Iterator[Bar]:
    yield Bar("writes a minute, idle", results.value(idle.WRITES, OURS), 0.0)
    yield Bar("reads a minute beside watches, idle", results.value(idle.READS, OURS), 5.0)


def _most(results: Results, measure: str, subject: str) -> float | None:
    """Return the highest value of all rounds, for limits that no round may exceed."""
    row = results.row(measure, subject)
    return None if row is None else row.spread.highest
