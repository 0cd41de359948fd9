"""Lines over time, with a grid, and a legend that says each line's latest value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from provisioner_devcluster.monitoring.charts.axes import Frame, round_values
from provisioner_devcluster.monitoring.units import factor_of, format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner_devcluster.monitoring.queries import Series, Window

COLORS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b07aa1", "#9c755f", "#edc948")
"""Colors of the first lines; further ones take them again."""
HEIGHT = 200
_LEFT, _TOP, _BOTTOM = 58, 8, 22
_GAP = 1.5
"""Steps without a value after which a line ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series."""

    name: str
    color: str
    path: str
    """Commands of an SVG path."""
    last: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A chart, in pixels."""

    frame: Frame
    values: list[tuple[float, str]]
    times: list[tuple[float, str]]
    lines: list[Line]
    kind: str = "lines"


def frame_of(window: Window, width: int, *, height: int = HEIGHT, left: int = _LEFT) -> Frame:
    """Return the area of a chart that shows a window."""
    return Frame(width, height, left, _TOP, _BOTTOM, window.begin, window.end)


def line_chart(named: Sequence[tuple[str, Series]], window: Window, *, unit: str, width: int) -> LineChart:
    """Draw series under their names; the lowest value of the axis is zero unless one is below."""
    frame = frame_of(window, width)
    finite = [value for _, series in named for _, value in series.points if math.isfinite(value)]
    lowest, highest = min(0.0, *finite, 0.0), max(0.0, *finite, 0.0)
    ticks = round_values(lowest, highest, factor_of(highest, unit))
    low, high = ticks[0], ticks[-1]
    lines = [
        Line(
            name,
            COLORS[number % len(COLORS)],
            _path(series, window.step, frame, low, high),
            format_value(series.last, unit),
        )
        for number, (name, series) in enumerate(named)
    ]
    values = [(frame.y(value, low, high), format_value(value, unit)) for value in ticks]
    return LineChart(frame, values, frame.times(), lines)


def _path(series: Series, step: int, frame: Frame, low: float, high: float) -> str:
    points = [(at, value) for at, value in series.points if math.isfinite(value)]
    if not points:
        return ""
    begins = [True, *(later[0] - earlier[0] > _GAP * step for earlier, later in pairwise(points))]
    parts = []
    for (at, value), is_begin in zip(points, begins, strict=True):
        place = f"{frame.x(at)} {frame.y(value, low, high)}"
        # A line of no length: its round end shows a single point.
        parts.append(f"M{place}L{place}" if is_begin else f"L{place}")
    return "".join(parts)
