"""Panels with the answers of Prometheus: tables are merged, variables have values, and an error is shown and hides nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from monitoring.grafana.boards import boards
from monitoring.rules.queue_slo import QueueSlo
from provisioner_devcluster.monitoring.dashboard import (
    Panel,
    Target,
    UnknownVariableError,
    read_dashboards,
    with_values,
)
from provisioner_devcluster.monitoring.panel_view import Message, Picture, Table, Values, view, window_of
from provisioner_devcluster.monitoring.queries import Queries, QueryError, Series, Window
from support.manifests import REPOSITORY

NOW = 1_000_003.0
WINDOW = Window.until(NOW, 900, scrape=5, points=180)


class Answers:
    """The part of `Queries` that panels use, with answers that are known."""

    def __init__(self, answer: Callable[[str], list[Series]]) -> None:
        self._answer = answer

    async def over(self, _: Window, expr: str) -> list[Series]:
        return self._answer(expr)

    present = over


def a_panel(*targets: Target, kind: str = "stat", **fields: Any) -> Panel:
    defaults: dict[str, Any] = {"number": 1, "title": "T", "description": "D.", "unit": "short", "width": 12}
    return Panel(kind=kind, targets=targets, **(defaults | {"hidden": frozenset(), "names": {}} | fields))


def draw(panel: Panel, answer: Callable[[str], list[Series]]) -> Picture:
    queries = cast("Queries", Answers(answer))
    return asyncio.run(view(panel, queries, WINDOW, {"namespace": ".*"})).picture


def one(value: float, **labels: str) -> list[Series]:
    return [Series(labels, ((NOW, value),))]


def test_series_of_the_same_labels_are_one_row_of_a_table() -> None:
    panel = a_panel(
        Target("A", "depth", ""),
        Target("B", "age", ""),
        kind="table",
        hidden=frozenset({"Time"}),
        names={"Value #A": "depth", "Value #B": "oldest"},
    )
    answers = {
        "depth": [*one(3, tags="gpu", pool="big"), *one(1, tags="mac")],
        "age": one(60, tags="gpu", pool="big"),
    }
    assert draw(panel, answers.__getitem__) == Table(
        ["pool", "tags", "depth", "oldest"], [["", "mac", "1", "-"], ["big", "gpu", "3", "60"]]
    )


def test_a_legend_names_labels_and_a_series_without_legend_its_own() -> None:
    panel = a_panel(Target("A", "a", "{{ pool }}: {{which}}"), Target("B", "b", ""))
    picture = draw(panel, lambda expr: one(1, pool="big", which="idle", __name__=expr))
    assert picture == Values([("big: idle", "1"), ("pool=big, which=idle", "1")])


def test_variables_have_the_values_that_stand_for_all() -> None:
    asked: list[str] = []

    def answer(expr: str) -> list[Series]:
        asked.append(expr)
        return []

    expr = 'rate(x{namespace=~"$namespace"}[$__rate_interval]) + y[${__range}]'
    draw(a_panel(Target("A", expr, "")), answer)
    assert asked == ['rate(x{namespace=~".*"}[20s]) + y[900s]']
    with pytest.raises(UnknownVariableError, match="template"):
        with_values("$template", {"namespace": ".*"})


def test_no_series_is_no_data_and_an_error_is_shown() -> None:
    def refuse(_: str) -> list[Series]:
        raise QueryError("parse error")

    panel = a_panel(Target("A", "x", ""))
    assert draw(panel, lambda _: []) == Message("empty", "No data")
    assert draw(panel, refuse) == Message("error", "parse error")
    unknown = draw(a_panel(Target("A", "$what", "")), lambda _: one(1))
    assert unknown == Message("error", "The dashboard has no variable $what.")
    assert isinstance(draw(a_panel(Target("A", "x", ""), kind="piechart"), lambda _: one(1)), Message)


def test_a_window_ends_at_a_step_so_that_pictures_do_not_jitter() -> None:
    assert (WINDOW.end, WINDOW.step, WINDOW.begin) == (1_000_000, 5, 999_100)
    coarse = window_of(a_panel(kind="heatmap"), NOW, 900, 5)
    assert (coarse.step, coarse.variables()["__rate_interval"]) == (20, "25s")


def test_the_page_reads_our_dashboards_whole() -> None:
    read = read_dashboards(REPOSITORY / "monitoring" / "dashboards")
    ours = {board.uid: board for board in boards(QueueSlo())}
    assert set(read) == set(ours)
    for uid, dashboard in read.items():
        found = [[panel.title for panel in row.panels] for row in dashboard.rows]
        assert found == [[panel.title for panel in row.panels] for row in ours[uid].rows]
        offered = {"namespace": ours[uid].by_namespace, "template": ours[uid].by_template}
        assert dashboard.variables == {name: ".*" for name, is_offered in offered.items() if is_offered}
