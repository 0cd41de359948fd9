"""Compare estimates with what came: the share of the cases in which a percentile held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.estimates.scenarios import Scenario, replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.estimates.world import Case

P50_BAND, P90_BAND = (0.40, 0.60), (0.85, 0.95)
"""Shares of the cases in which the percentiles have to hold."""
_RESOLUTION_SECONDS = 0.5
"""Times of jobs are whole seconds."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Outcome of a number of questions about jobs that had to wait."""

    cases: int
    unknown: int
    """Questions to which the answer was "unknown"."""
    p50: float
    """Share of the others that started within the median."""
    p90: float

    @property
    def holds(self) -> bool:
        """Whether both percentiles are within their bands."""
        return P50_BAND[0] <= self.p50 <= P50_BAND[1] and P90_BAND[0] <= self.p90 <= P90_BAND[1]


def coverage(cases: Iterable[Case]) -> Coverage:
    """Return the coverage of these questions. A job that is about to start is none: no time is estimated for it."""
    asked = [case for case in cases if case.waited is not None and (case.p90 is None or case.p90 > 0)]
    known = [(case.waited, case.p50, case.p90) for case in asked if case.p50 is not None]
    within = [
        [waited <= (each or 0.0) + _RESOLUTION_SECONDS for each in found]
        for waited, *found in known
        if waited is not None
    ]
    number = max(1, len(within))
    return Coverage(
        len(asked),
        len(asked) - len(within),
        sum(each[0] for each in within) / number,
        sum(each[1] for each in within) / number,
    )


def measure(scenario: Scenario, seeds: Iterable[int], *, hours: float, question_gap: float) -> Coverage:
    """Replay a scenario with these seeds, and return the coverage of all questions together."""
    worlds = (replay(scenario, seed, hours=hours, question_gap=question_gap) for seed in seeds)
    return coverage(case for world in worlds for case in world.cases.values())
