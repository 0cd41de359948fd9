"""Medians, spreads, percentiles, and the growth of costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Spread:
    """One value measured in several rounds."""

    median: float
    lowest: float
    highest: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of one value per round, for at least one round."""
        return cls(median(values), min(values), max(values), len(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def exponent(costs: Mapping[int, float]) -> float:
    """Return the exponent with which a cost grows, fitted to logarithms of at least two sizes; 1.0 is linear."""
    sizes, values = zip(*sorted(costs.items()), strict=True)
    return linear_regression([math.log(size) for size in sizes], [math.log(value) for value in values]).slope
