"""States over time: one bar a series, in pieces of equal value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner_devcluster.monitoring.charts.line_chart import frame_of
from provisioner_devcluster.monitoring.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provisioner_devcluster.monitoring.charts.axes import Frame
    from provisioner_devcluster.monitoring.queries import Series, Window

_LEFT = 170
_BAR = 26
_MARGINS = 30


@dataclass(frozen=True, slots=True)
class Piece:
    """A time of equal value."""

    x: float
    width: float
    is_on: bool
    value: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One series."""

    y: float
    name: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A chart, in pixels."""

    frame: Frame
    times: list[tuple[float, str]]
    bars: list[Bar]
    bar_height: int
    kind: str = "timeline"


def timeline(named: Sequence[tuple[str, Series]], window: Window, *, unit: str, width: int) -> Timeline:
    """Draw a bar for each series under its name."""
    frame = frame_of(window, width, height=_MARGINS + _BAR * len(named), left=_LEFT)
    bars = [
        Bar(frame.top + number * _BAR, name, list(_pieces(series, window, frame, unit)))
        for number, (name, series) in enumerate(named)
    ]
    return Timeline(frame, frame.times(), bars, _BAR - 4)


def _pieces(series: Series, window: Window, frame: Frame, unit: str) -> Iterator[Piece]:
    runs: list[tuple[float, float, float]] = []
    for at, value in series.points:
        if runs and runs[-1][2] == value and at - runs[-1][1] <= window.step:
            runs[-1] = (runs[-1][0], at, value)
        else:
            runs.append((at, at, value))
    for first, last, value in runs:
        end = min(last + window.step, window.end)
        yield Piece(frame.x(first), round(frame.x(end) - frame.x(first), 1), value > 0, format_value(value, unit))
