"""Panels with what Prometheus answers: a chart, values, a table, no data, or the error of a query.

Called by the page for each panel. Draws a panel as Grafana does, as far as its kind is one that our dashboards use.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner_devcluster.monitoring.charts.heatmap import Heatmap, heatmap
from provisioner_devcluster.monitoring.charts.line_chart import LineChart, line_chart
from provisioner_devcluster.monitoring.charts.timeline import Timeline, timeline
from provisioner_devcluster.monitoring.dashboard import Panel, UnknownVariableError, with_values
from provisioner_devcluster.monitoring.queries import Queries, QueryError, Series, Window
from provisioner_devcluster.monitoring.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMN_PIXELS = 50
"""Width of a column of the grid, less the margins of panels."""
POINTS = 180
_HEATMAP_POINTS = 45
_HEATMAP = "heatmap"
_PRESENT = frozenset({"stat", "table"})
"""Kinds that show the present alone."""
_LABEL = re.compile(r"{{\s*(\w+)\s*}}")
_NAME = "__name__"

Answers = list[tuple[str, str, list[Series]]]
"""Id, legend and series of each query."""


@dataclass(frozen=True, slots=True)
class Values:
    """Present values, each with its name."""

    values: list[tuple[str, str]]
    kind: str = "values"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text."""

    columns: list[str]
    rows: list[list[str]]
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Message:
    """Words in the place of a picture."""

    kind: str
    """`empty` or `error`."""
    text: str


Picture = LineChart | Heatmap | Timeline | Values | Table | Message


@dataclass(frozen=True, slots=True)
class PanelView:
    """A panel as the page shows it."""

    panel: Panel
    picture: Picture


def window_of(panel: Panel, now: float, seconds: int, scrape: int) -> Window:
    """Return the window of a panel, with the resolution that its kind has."""
    return Window.until(now, seconds, scrape=scrape, points=_HEATMAP_POINTS if panel.kind == _HEATMAP else POINTS)


async def view(panel: Panel, queries: Queries, window: Window, variables: Mapping[str, str]) -> PanelView:
    """Ask all queries of a panel, and draw the answers."""
    ask = queries.present if panel.kind in _PRESENT else queries.over
    values = {**variables, **window.variables()}
    try:
        found = await asyncio.gather(*(ask(window, with_values(each.expr, values)) for each in panel.targets))
    except (QueryError, UnknownVariableError) as error:
        return PanelView(panel, Message("error", str(error)))
    if not any(found):
        return PanelView(panel, Message("empty", "No data"))
    answers = [(each.ref, each.legend, series) for each, series in zip(panel.targets, found, strict=True)]
    return PanelView(panel, _picture(panel, answers, window))


def _picture(panel: Panel, answers: Answers, window: Window) -> Picture:
    named = [(_name(legend, each.labels), each) for _, legend, series in answers for each in series]
    width = panel.width * COLUMN_PIXELS - 40
    match panel.kind:
        case "timeseries":
            return line_chart(named, window, unit=panel.unit, width=width)
        case "heatmap":
            return heatmap([each for _, each in named], window, unit=panel.unit, width=width)
        case "state-timeline":
            return timeline(named, window, unit=panel.unit, width=width)
        case "stat":
            return Values([(name, format_value(each.last, panel.unit)) for name, each in named])
        case "table":
            return _table(panel, answers)
        case _:
            return Message("error", f"The page draws no panel of the kind {panel.kind}.")


def _name(legend: str, labels: Mapping[str, str]) -> str:
    if legend:
        return _LABEL.sub(lambda match: labels.get(match[1], ""), legend)
    return ", ".join(f"{label}={value}" for label, value in labels.items() if label != _NAME)


def _table(panel: Panel, answers: Answers) -> Table:
    """Merge the answers: series of the same labels become one row, each query a column."""
    labels = list(dict.fromkeys(label for _, _, series in answers for each in series for label in sorted(each.labels)))
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    values = [f"Value #{ref}" if len(answers) > 1 else "Value" for ref, _, _ in answers]
    for value, (_, _, series) in zip(values, answers, strict=True):
        for each in series:
            key = tuple(each.labels.get(label, "") for label in labels)
            rows.setdefault(key, dict(zip(labels, key, strict=True)))[value] = format_value(each.last, panel.unit)
    columns = [each for each in (*labels, *values) if each not in {_NAME, *panel.hidden}]
    return Table(
        [panel.names.get(each, each) for each in columns],
        [[row.get(each, "-") for each in columns] for _, row in sorted(rows.items())],
    )
