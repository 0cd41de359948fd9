"""Dashboards ask for what the operator exports, and are readable: units, descriptions, fixed ids, no overlap."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.grafana.board import Board, Shape
from monitoring.grafana.boards import boards, config_maps
from monitoring.grafana.rendering import dashboard_json
from monitoring.rules.alerts import groups
from monitoring.rules.queue_slo import QueueSlo
from monitoring.rules.rule import Record
from support.promql import selectors, unknown

BOARDS = boards(QueueSlo())
RECORDS = {rule.record for group in groups(QueueSlo()) for rule in group.rules if isinstance(rule, Record)}
GRID = 24
UNITS = {"s", "short", "ops", "percentunit", "bytes"}

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)


def document(board: Board) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dashboard_json(board))
    return found


def panels(board: Board) -> list[dict[str, Any]]:
    return [panel for panel in document(board)["panels"] if panel["type"] != "row"]


def expressions(board: Board) -> Iterator[str]:
    return (query.expr for panel in board.panels() for query in panel.queries)


@each_board
def test_every_metric_and_label_of_a_query_is_exported(board: Board) -> None:
    for expression in expressions(board):
        recorded = set(re.findall(r"provisioner:\w+:\w+", expression))
        assert recorded <= RECORDS
        assert recorded or list(selectors(expression)), expression
        assert list(unknown(expression)) == []


@each_board
def test_ids_are_fixed_and_different(board: Board) -> None:
    assert re.fullmatch(r"provisioner-[a-z]+", board.uid)
    ids = [panel["id"] for panel in document(board)["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    for panel in panels(board):
        assert [target["refId"] for target in panel["targets"]] == list("ABCDEFGH"[: len(panel["targets"])])
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_no_two_dashboards_have_the_same_uid_or_title() -> None:
    assert len({board.uid for board in BOARDS}) == len({board.title for board in BOARDS}) == len(BOARDS)


@each_board
def test_every_panel_says_what_it_shows_and_in_which_unit(board: Board) -> None:
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels(board):
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


@each_board
def test_no_panel_overlaps_another_or_leaves_the_grid(board: Board) -> None:
    places = [panel["gridPos"] for panel in document(board)["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= GRID for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


@each_board
def test_a_rate_follows_the_resolution_of_the_picture(board: Board) -> None:
    for panel in board.panels():
        for query in panel.queries:
            windows = set(re.findall(r"(?:rate|increase)\([^\[]*\[([^\]]*)\]", query.expr))
            is_present = panel.shape in {Shape.STAT, Shape.TABLE}
            assert windows <= ({"$__range"} if is_present else {"$__rate_interval"}), query.expr


@each_board
def test_the_queries_of_a_table_are_one_table_with_named_columns(board: Board) -> None:
    for panel, shown in zip(board.panels(), panels(board), strict=True):
        if panel.shape is Shape.TABLE:
            merge, organize = shown["transformations"]
            assert merge["id"] == "merge"
            assert list(organize["options"]["renameByName"].values()) == [query.legend for query in panel.queries]
        else:
            assert "transformations" not in shown


@each_board
def test_variables_are_used_where_they_are_offered(board: Board) -> None:
    offered = {variable["name"] for variable in document(board)["templating"]["list"]}
    used = {name for each in expressions(board) for name in re.findall(r"\$(namespace|template)\b", each)}
    assert offered == {"datasource", *used}


@each_board
def test_grafanas_sdk_reads_the_file_as_it_was_written(board: Board) -> None:
    read = Dashboard.from_json(document(board))
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == document(board)


def test_each_dashboard_is_in_a_config_map_that_the_sidecar_finds() -> None:
    maps = list(yaml.safe_load_all(config_maps(BOARDS)))
    assert [list(each["data"].values()) for each in maps] == [[dashboard_json(board)] for board in BOARDS]
    assert all(each["metadata"]["labels"]["grafana_dashboard"] == "1" for each in maps)
