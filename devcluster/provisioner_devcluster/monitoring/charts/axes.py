"""Axes of a chart: places of values and times, and the round numbers that are written beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

_ROUND = (1, 2, 2.5, 5, 10)
_LINES = 4
_ROUND_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_TIMES_APART = 90
"""Pixels between two times that are written: their text takes half of it."""
_MINUTE = 60
_SMALLEST = 1e-12
"""Least difference of values that is drawn: below it, all are the same."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The area in which a chart draws, in pixels, and the time from its left edge to its right."""

    width: int
    height: int
    left: int
    top: int
    bottom: int
    begin: float
    end: float

    def x(self, at: float) -> float:
        """Return the place of a time."""
        return round(self.left + (self.width - self.left) * (at - self.begin) / (self.end - self.begin), 1)

    def y(self, value: float, low: float, high: float) -> float:
        """Return the place of a value between the lowest and the highest."""
        return round(self.floor - (self.floor - self.top) * (value - low) / (high - low), 1)

    @property
    def floor(self) -> int:
        """The place of the lowest value."""
        return self.height - self.bottom

    def times(self) -> list[tuple[float, str]]:
        """Return the places of round times, with their text (UTC)."""
        wanted = (self.end - self.begin) * _TIMES_APART / (self.width - self.left)
        step = next((each for each in _ROUND_SECONDS if each >= wanted), _ROUND_SECONDS[-1])
        form = "%H:%M:%S" if step < _MINUTE else "%H:%M"
        first = math.ceil(self.begin / step) * step
        return [(self.x(at), datetime.fromtimestamp(at, UTC).strftime(form)) for at in _counting(first, self.end, step)]


def _counting(first: float, last: float, step: float) -> list[float]:
    return [first + number * step for number in range(math.floor((last - first) / step) + 1)]


def round_values(low: float, high: float, factor: float = 1.0) -> list[float]:
    """Return a few values, round multiples of the factor, the first at most `low` and the last at least `high`."""
    return [each * factor for each in _round_numbers(low / factor, high / factor)]


def _round_numbers(low: float, high: float) -> list[float]:
    if high - low < _SMALLEST:
        high = low + max(abs(low), 1)
    raw = (high - low) / _LINES
    power = 10 ** math.floor(math.log10(raw))
    step = power * next(each for each in _ROUND if each * power >= raw * (1 - 1e-9))
    first = math.floor(low / step)
    return [number * step for number in range(first, math.ceil(high / step - 1e-9) + 1)]
