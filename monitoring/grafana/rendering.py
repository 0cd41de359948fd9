"""Rendering of dashboards as Grafana's JSON, by its own SDK, with identifiers that stay the same."""

import json
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import dashboard, heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DataTransformerConfig, VariableRefresh
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.grafana.board import Board, Panel, Query, Row, Shape

SOURCE = DataSourceRef("prometheus", "${datasource}")
_TAG = "provisioner"
_BUILDERS: Mapping[Shape, Any] = {
    Shape.TIME_SERIES: timeseries.Panel,
    Shape.STAT: stat.Panel,
    Shape.TABLE: table.Panel,
    Shape.HEATMAP: heatmap.Panel,
    Shape.TIMELINE: statetimeline.Panel,
}
_INSTANT = (Shape.STAT, Shape.TABLE)
"""Shapes that show the present."""


def dashboard_json(board: Board) -> str:
    """Return the file that Grafana imports."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([_TAG])
        .refresh("30s")
        .time("now-6h", "now")
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    if board.by_namespace:
        builder.with_variable(_variable("namespace", "Namespace", "provisioner_jobs_ended_total"))
    if board.by_template:
        series = 'provisioner_jobs_ended_total{namespace=~"$namespace"}'
        builder.with_variable(_variable("template", "Template", series))
    _add_rows(builder, board.rows)
    return json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _add_rows(builder: Any, rows: tuple[Row, ...]) -> None:
    number = 0
    for row in rows:
        number += 1
        builder.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            builder.with_panel(_panel(panel, number))


def _variable(name: str, label: str, series: str) -> Any:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(f"label_values({series}, {name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(include_all=True)
        .all_value(".*")
        .multi(multi=True)
    )


def _panel(panel: Panel, number: int) -> Any:
    builder = _BUILDERS[panel.shape]().id(number).title(panel.title).description(panel.description)
    builder.datasource(SOURCE).unit(panel.unit).span(panel.width).height(panel.height)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        builder.with_target(_target(query, letter, panel.shape))
    if panel.shape is Shape.TABLE:
        _merge(builder, panel.queries)
    return builder


def _merge(builder: Any, queries: tuple[Query, ...]) -> None:
    """Make one table of the queries: without this, Grafana shows one of them, and a menu of the others."""
    names = {f"Value #{letter}": query.legend for letter, query in zip(ascii_uppercase, queries, strict=False)}
    builder.with_transformation(DataTransformerConfig("merge", options={}))
    organize = {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names}
    builder.with_transformation(DataTransformerConfig("organize", options=organize))


def _target(query: Query, letter: str, shape: Shape) -> Any:
    target = prometheus.Dataquery().ref_id(letter).expr(query.expr).legend_format(query.legend).datasource(SOURCE)
    if shape is Shape.HEATMAP:
        target.format(PromQueryFormat.HEATMAP)
    if shape is Shape.TABLE:
        target.format(PromQueryFormat.TABLE)
    return target.instant() if shape in _INSTANT else target.range()
