"""Dashboards as values: rows of panels with queries. Knows neither Grafana's JSON nor a metric."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

HALF, THIRD, QUARTER, FULL = 12, 8, 6, 24
"""Widths of panels on Grafana's grid of 24 columns."""


class Shape(StrEnum):
    """Form in which a panel shows its series."""

    TIME_SERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"
    HEATMAP = "heatmap"
    TIMELINE = "state-timeline"


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a panel."""

    expr: str
    legend: str = ""
    sometimes: bool = False
    """Whether it is in order that it returns nothing, even where jobs run."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    description: str
    unit: str
    """Grafana's name of the unit: `s`, `short`, `percentunit`, `bytes`."""
    queries: tuple[Query, ...]
    shape: Shape = Shape.TIME_SERIES
    width: int = HALF
    height: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a common title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    name: str
    """The last part of its uid and of its file's name."""
    title: str
    description: str
    rows: tuple[Row, ...]
    by_namespace: bool = True
    """Whether it can be limited to namespaces (the variable `namespace`)."""
    by_template: bool = False
    """Whether it can be limited to templates (the variable `template`)."""

    @property
    def uid(self) -> str:
        """Fixed identifier, so that links to it last."""
        return f"provisioner-{self.name}"

    def panels(self) -> Iterator[Panel]:
        """Iterate over the panels of all rows."""
        return (panel for row in self.rows for panel in row.panels)
