"""Required results. Each bar is a limit for one value of a run, and is open if the run did not measure the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.floor import FLOOR
from bench.peers.kueue import KUEUE
from bench.peers.tekton import TEKTON
from bench.plan import AGAINST, OURS, counting
from bench.scenarios import accept, cancel, decision, fairness, growth, idle, latency, life, stored
from bench.subjects import JOB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.plan import Plan
    from bench.results import Results

SMALLEST_QUEUE, LARGEST_QUEUE = 1_000, 100_000
MEMORY_BARS_MB = {
    stored.PENDING: {10_000: 130.0, 100_000: 600.0},
    stored.ENDED: {10_000: 110.0, 100_000: 250.0},
}
ONE_MILLION = 1_000_000
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
    yield from _writes(results)
    yield from _latency(results)
    yield from _resources(results, plan)
    yield from _decisions(results, plan)
    yield Bar(
        f"{fairness.WITH} / without a policy",
        results.ratio(fairness.WITH, OURS, fairness.WITHOUT, OURS),
        0.1,
    )
    yield from _restarts(results)
    yield from _idle(results)
    yield from _against(results, plan)
    yield from _growth(results)


def _throughput(results: Results, plan: Plan) -> Iterator[Bar]:
    burst = counting(plan.bursts)
    yield Bar(
        "assignments a second / the API server's own patches a second",
        results.ratio(accept.ASSIGNMENTS, OURS, accept.PATCHES, FLOOR),
        0.90,
        at_least=True,
    )
    yield Bar(
        f"jobs accepted a second / Pods of Jobs a second, burst of {burst}",
        results.ratio(accept.accepted_rate(burst), OURS, accept.accepted_rate(burst), JOB),
        1.5,
        at_least=True,
    )
    rate = accept.accepted_rate(CANCEL_JOBS)
    for peer, limit in ((KUEUE, 1.3), (TEKTON, 2.5)):
        yield Bar(
            f"jobs accepted a second / those of {peer.name}, burst of {CANCEL_JOBS}",
            results.ratio(rate, OURS, rate, peer.name),
            limit,
            at_least=True,
        )


def _writes(results: Results) -> Iterator[Bar]:
    yield Bar("writes a job after its creation", _most(results, life.WRITES, OURS), 3.0)
    yield Bar(
        "writes a cancel of a run, the administrator's included",
        _most(results, cancel.writes_of(CANCEL_JOBS), OURS),
        2.0,
    )


def _latency(results: Results) -> Iterator[Bar]:
    accepted = f"{latency.ACCEPTED}, {MEDIAN}"
    yield Bar("submitted to accepted, idle, p50 / that of a Job", results.ratio(accepted, OURS, accepted, JOB), 1.0)
    yield Bar(
        "submitted to accepted, idle, p50 / one conditional patch",
        results.ratio(accepted, OURS, f"{latency.ROUND_TRIP}, {MEDIAN}", FLOOR),
        1.7,
    )
    yield Bar(
        f"submitted to accepted, idle, p50 / that of {KUEUE.name}",
        results.ratio(accepted, OURS, accepted, KUEUE.name),
        1.0,
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
    yield Bar(
        f"cancel to Canceled, idle, p50 / that of {KUEUE.name}",
        results.ratio(canceled, OURS, canceled, KUEUE.name),
        1.0,
    )
    yield Bar(
        f"cancel to Canceled, burst of {CANCEL_JOBS}, p99 / the best of {KUEUE.name} and {TEKTON.name}",
        results.margin(cancel.canceled("p99", CANCEL_JOBS), OURS, (KUEUE.name, TEKTON.name)),
        0.8,
    )


def _resources(results: Results, plan: Plan) -> Iterator[Bar]:
    lives = counting(plan.lives)
    yield Bar(
        f"CPU a job: operator / API server, burst of {lives}",
        results.ratio(life.cpu(life.OPERATOR, lives), OURS, life.cpu(life.API_SERVER, lives), OURS),
        0.5,
    )
    for state, limits in MEMORY_BARS_MB.items():
        for jobs, limit in limits.items():
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


def _against(results: Results, plan: Plan) -> Iterator[Bar]:
    """Compare with the version of `--against`."""
    whole_life = life.cpu(life.API_SERVER, counting(plan.lives))
    a_minute = idle.CPU_OF.format(process=life.API_SERVER)
    for what, measure, limit in (
        ("the API server's CPU for a job's whole life / the other version's", whole_life, 0.65),
        (f"the API server's CPU a minute, {idle.DAEMONS} idle daemons / the other version's", a_minute, 0.2),
    ):
        yield Bar(what, results.ratio(measure, OURS, measure, AGAINST), limit)


def _growth(results: Results) -> Iterator[Bar]:
    for row in results:
        if row.measure.startswith(decision.GROWTH_OF):
            yield Bar(row.measure, row.spread.median, growth.NEARLY_FLAT)
    yield Bar(
        f"the controller's memory, {ONE_MILLION} ended jobs with a time to live",
        _most(results, growth.peak_of(ONE_MILLION), OURS),
        700.0,
        unit="MB",
    )


def _most(results: Results, measure: str, subject: str) -> float | None:
    """Return the highest value of all rounds, for limits that no round may exceed."""
    row = results.row(measure, subject)
    return None if row is None else row.spread.highest
