"""Growth of the core's costs with the number of stored objects, as an exponent: 0 is flat, 1 is linear.

Needs no API server. Each measure is taken at three sizes, which take turns in every round; logarithmic growth between them has
an exponent below `NEARLY_FLAT`. `python -m bench.growth` has further costs, at one size each.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from statistics import median
from typing import TYPE_CHECKING

from bench.client import BenchError
from bench.plan import OURS
from bench.scenarios.decision import GROWTH_OF
from bench.scenarios.growing import KINDS, SERIES
from bench.statistics import exponent

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.plan import Plan
    from bench.results import Results
    from bench.scenarios.growing import Step

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
        sizes = [max(size // plan.smaller, 1) for size in series.sizes]
        steps = {size: series.prepare(size) for size in sizes}
        costs: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(plan.rounds):
            for size, step in steps.items():
                cost = microseconds(step, 1 if series.is_slow else STEPS)
                costs[size].append(cost)
                results.add(SCENARIO, f"{series.what}, {size} {series.of}", OURS, cost, "µs")
        fitted = exponent({size: median(values) for size, values in costs.items()})
        results.add(SCENARIO, f"{GROWTH_OF}{series.what} with {series.of}", OURS, fitted, "")
    for kind, fill in KINDS.items():
        results.add(SCENARIO, f"memory of each {kind}", OURS, held_bytes(fill), "B")
    jobs = LARGEST // plan.smaller
    results.add(SCENARIO, peak_of(jobs), OURS, _peak_memory(jobs) / 1e6, "MB")


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


def held_bytes(fill: Callable[[int], object]) -> float:
    """Return what the core keeps of each of many objects."""
    fill(1)  # what is made once must not count
    gc.collect()
    tracemalloc.start()
    kept = fill(HELD)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return held / HELD


def _peak_memory(jobs: int) -> int:
    command = [sys.executable, "-m", "bench.scenarios.ended_jobs", str(jobs)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_MEMORY_SECONDS)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed: {done.stderr}")
    return int(done.stdout)
