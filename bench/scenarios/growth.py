"""Growth of the core's costs with the number of stored objects, as an exponent: 0 is flat, 1 is linear.

Needs no API server. Each measure is taken at three sizes, which take turns in every round; logarithmic growth between them has
an exponent below `NEARLY_FLAT`. `python -m bench.scenarios.growth daemons` measures only what may grow with these;
`python -m bench.growth` has further costs, at one size each.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from statistics import median
from typing import TYPE_CHECKING

import click

from bench.client import BenchError
from bench.plan import FULL, OURS
from bench.scenarios.decision import GROWTH_OF
from bench.scenarios.growing import KINDS, SERIES
from bench.statistics import exponent

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan import Plan
    from bench.results import Results
    from bench.scenarios.growing import Series, Step

SCENARIO = "growth"
NEARLY_FLAT = 0.25
"""Largest exponent that is still flat: a logarithm has 0.15 from a hundred to ten thousand, the rest is noise."""
STEPS = 100
WARM_UP = 10
HELD = 2_000
"""Objects of one kind whose memory is measured."""
LARGEST = 1_000_000
_MEMORY_SECONDS = 900


def peak_of(jobs: int) -> str:
    """Name of the measure for the memory of a process with that many ended jobs."""
    return f"peak memory of the core, {jobs} ended jobs with a time to live"


async def measure(plan: Plan, results: Results) -> None:
    """Run the rounds of each series, then measure memory."""
    for series in SERIES:
        costs = costs_of(series, plan)
        for size, values in costs.items():
            for cost in values:
                results.add(SCENARIO, f"{series.what}, {size} {series.of}", OURS, cost, "µs")
        fitted = exponent({size: median(values) for size, values in costs.items()})
        results.add(SCENARIO, f"{GROWTH_OF}{series.what} with {series.of}", OURS, fitted, "")
    for kind, fill in KINDS.items():
        results.add(SCENARIO, f"memory of each {kind}", OURS, held_bytes(fill), "B")
    jobs = LARGEST // plan.smaller
    results.add(SCENARIO, peak_of(jobs), OURS, _peak_memory(jobs) / 1e6, "MB")


def costs_of(series: Series, plan: Plan) -> dict[int, list[float]]:
    """Return the microseconds of a step in each round, by size; the sizes take turns."""
    steps = {size: series.prepare(size) for size in (max(size // plan.smaller, 1) for size in series.sizes)}
    costs: dict[int, list[float]] = {size: [] for size in steps}
    for _ in range(plan.rounds):
        for size, step in steps.items():
            costs[size].append(microseconds(step, STEPS))
    return costs


def microseconds(step: Step, times: int) -> float:
    """Return the mean CPU time of a step, after some that warm it up."""
    for _ in range(min(times, WARM_UP)):
        step()
    gc.collect()
    gc.disable()
    began = time.thread_time()
    for _ in range(times):
        step()
    took = time.thread_time() - began
    gc.enable()
    return 1e6 * took / times


def held_bytes(fill: Callable[[int], object], count: int = HELD) -> float:
    """Return what the core keeps of each of so many objects."""
    fill(1)  # what is made once must not count
    gc.collect()
    tracemalloc.start()
    kept = fill(count)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return held / count


def _peak_memory(jobs: int) -> int:
    command = [sys.executable, "-m", "bench.scenarios.ended_jobs", str(jobs)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_MEMORY_SECONDS)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed: {done.stderr}")
    return int(done.stdout)


@click.command()
@click.argument("of", type=click.Choice([series.of for series in SERIES]))
def main(of: str) -> None:
    """Measure what may grow with the number of these objects."""
    for series in SERIES:
        if series.of == of:
            costs = {size: median(values) for size, values in costs_of(series, FULL).items()}
            shown = ", ".join(f"{cost:.0f} µs with {size}" for size, cost in costs.items())
            click.echo(f"{series.what}: {shown} {of}; exponent {exponent(costs):.2f}")


if __name__ == "__main__":
    main()
