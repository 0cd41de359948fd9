"""Values in Grafana's units, as text."""

from __future__ import annotations

import math
from bisect import bisect_right

_STEPS = {
    "s": ((1e-6, "µs"), (1e-3, "ms"), (1, "s"), (60, "min"), (3_600, "h"), (86_400, "d")),
    "bytes": ((1, "B"), (2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB")),
    "ops": ((1, "/s"), (1e3, "k/s")),
    "short": ((1, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")),
}
_OF_ZERO = {"s": 1.0}
_DIGITS = 3


def format_value(value: float, unit: str) -> str:
    """Format a value with three digits; units that are not known are written after it."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "percentunit":
        return f"{_digits(value * 100)} %"
    if unit not in _STEPS:
        return f"{_digits(value)} {unit}"
    factor, name = _step(value or _OF_ZERO.get(unit, 0.0), unit)
    return f"{_digits(value / factor)} {name}".strip()


def factor_of(value: float, unit: str) -> float:
    """Return the factor of the unit in which the value is written: 60 for some minutes, for example."""
    return _step(value or _OF_ZERO.get(unit, 0.0), unit)[0] if unit in _STEPS else 1.0


def _step(value: float, unit: str) -> tuple[float, str]:
    steps = _STEPS[unit]
    return steps[max(0, bisect_right([each[0] for each in steps], abs(value)) - 1)]


def _digits(value: float) -> str:
    rounded = float(f"{value:.{_DIGITS}g}")
    return f"{rounded:.0f}" if abs(rounded) >= 10**_DIGITS else f"{rounded:g}"
