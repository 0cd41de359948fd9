"""Buckets of a histogram over time: the more observations fall into a cell, the stronger its color."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner_devcluster.monitoring.charts.line_chart import frame_of
from provisioner_devcluster.monitoring.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner_devcluster.monitoring.charts.axes import Frame
    from provisioner_devcluster.monitoring.queries import Series, Window

_BUCKET = "le"
_FAINTEST = 0.15


@dataclass(frozen=True, slots=True)
class Cell:
    """Observations of one bucket and step."""

    x: float
    y: float
    strength: float
    title: str


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A chart, in pixels."""

    frame: Frame
    values: list[tuple[float, str]]
    times: list[tuple[float, str]]
    cells: list[Cell]
    cell_width: float
    cell_height: float
    kind: str = "heatmap"


def heatmap(series: Sequence[Series], window: Window, *, unit: str, width: int) -> Heatmap:
    """Draw the buckets of a histogram: series that count what is at most their label `le`."""
    frame = frame_of(window, width)
    buckets = sorted(((float(each.labels[_BUCKET]), dict(each.points)) for each in series), key=lambda each: each[0])
    height = (frame.floor - frame.top) / max(1, len(buckets))
    counts = [_only(points, buckets[number - 1][1] if number else {}) for number, (_, points) in enumerate(buckets)]
    most = max((count for row in counts for count in row.values()), default=0.0)
    cell_width = round((frame.width - frame.left) * window.step / window.seconds, 1)
    cells = [
        Cell(
            round(frame.x(at) - cell_width, 1),
            round(frame.floor - (number + 1) * height, 1),
            round(_FAINTEST + (1 - _FAINTEST) * count / most, 2),
            f"{count:.3g} of at most {format_value(buckets[number][0], unit)}",
        )
        for number, row in enumerate(counts)
        for at, count in row.items()
        if count > 0 and at > window.begin
    ]
    values = [
        (round(frame.floor - (number + 0.5) * height, 1), format_value(limit, unit))
        for number, (limit, _) in enumerate(buckets)
    ]
    return Heatmap(frame, values, frame.times(), cells, cell_width, round(height, 1))


def _only(points: dict[float, float], smaller: dict[float, float]) -> dict[float, float]:
    """Return the observations of a bucket that no smaller bucket counts."""
    return {at: value - smaller.get(at, 0.0) for at, value in points.items() if math.isfinite(value)}
