"""Dashboards as Grafana's JSON has them: rows of panels with queries, and variables with their values for "All".

Called by the page. Knows only the part of Grafana's schema that the page draws.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

COLUMNS = 24
"""Width of Grafana's grid."""
_ROW = "row"
_ORGANIZE = "organize"
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")


class UnknownVariableError(Exception):
    """A query names a variable that the dashboard does not have."""


@dataclass(frozen=True, slots=True)
class Target:
    """A query of a panel."""

    ref: str
    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    number: int
    title: str
    description: str
    kind: str
    """Grafana's name of the visualization."""
    unit: str
    width: int
    """Columns of Grafana's grid."""
    targets: tuple[Target, ...]
    hidden: frozenset[str]
    """Columns of a table that are not shown."""
    names: Mapping[str, str]
    """Names of a table's columns, where they differ from their fields."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a common title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: Mapping[str, str]
    """Values of its own variables: all that there are."""


def read_dashboards(folder: Path) -> dict[str, Dashboard]:
    """Return the dashboards of a folder by their uids, in the order of their titles."""
    found = [_dashboard(json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob("*.json")]
    return {each.uid: each for each in sorted(found, key=lambda each: each.title)}


def with_values(expr: str, values: Mapping[str, str]) -> str:
    """Put values in the place of variables. Raises UnknownVariableError."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            raise UnknownVariableError(f"The dashboard has no variable ${name}.")
        return values[name]

    return _VARIABLE.sub(value, expr)


def _dashboard(document: Mapping[str, Any]) -> Dashboard:
    variables = {each["name"]: each["allValue"] for each in document["templating"]["list"] if "allValue" in each}
    return Dashboard(
        document["uid"],
        document["title"],
        document.get("description", ""),
        tuple(_rows(document["panels"])),
        variables,
    )


def _rows(panels: Iterable[Mapping[str, Any]]) -> list[Row]:
    rows: list[tuple[str, list[Panel]]] = []
    for panel in panels:
        if panel["type"] == _ROW:
            rows.append((panel["title"], []))
        else:
            if not rows:
                rows.append(("", []))
            rows[-1][1].append(_panel(panel))
    return [Row(title, tuple(found)) for title, found in rows]


def _panel(panel: Mapping[str, Any]) -> Panel:
    targets = (Target(each["refId"], each["expr"], each.get("legendFormat", "")) for each in panel["targets"])
    options = [each["options"] for each in panel.get("transformations", ()) if each["id"] == _ORGANIZE]
    return Panel(
        panel["id"],
        panel["title"],
        panel.get("description", ""),
        panel["type"],
        panel["fieldConfig"]["defaults"].get("unit", "short"),
        panel["gridPos"]["w"],
        tuple(targets),
        frozenset(name for each in options for name, out in each.get("excludeByName", {}).items() if out),
        {name: to for each in options for name, to in each.get("renameByName", {}).items()},
    )
