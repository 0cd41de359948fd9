"""The table of all subjects says who leads each row, also where the product loses."""

import json
from pathlib import Path

from bench import report
from bench.plan import AGAINST, OURS
from bench.results import Results
from bench.standings import Standing, standings, subjects


def measured(*rows: tuple[str, str, float, str]) -> Results:
    results = Results()
    for measure, subject, value, unit in rows:
        results.add("scenario", measure, subject, value, unit)
    return results


def test_the_highest_rate_leads_and_the_shortest_time() -> None:
    results = measured(
        ("accepted a second", OURS, 80, "1/s"),
        ("accepted a second", "Kueue", 69, "1/s"),
        ("latency", OURS, 16, "ms"),
        ("latency", "Kueue", 11, "ms"),
        ("latency", "Tekton", 57, "ms"),
    )
    assert [(each.measure, each.leader) for each in standings(results)] == [
        ("accepted a second", OURS),
        ("latency", "Kueue"),
    ]


def test_a_measure_of_one_subject_and_another_version_of_the_product_are_not_compared() -> None:
    results = measured(
        ("latency", OURS, 16, "ms"), ("latency", AGAINST, 11, "ms"), ("patch", "API server alone", 6, "ms")
    )
    assert not list(standings(results))


def test_medians_are_compared() -> None:
    results = measured(*(("latency", OURS, value, "ms") for value in (1, 20, 30)), ("latency", "Kueue", 15, "ms"))
    (standing,) = standings(results)
    assert standing.values == {OURS: 20, "Kueue": 15}


def test_subjects_keep_their_order() -> None:
    table = [Standing("a", "ms", {OURS: 1, "Job": 2}), Standing("b", "ms", {OURS: 1, "Kueue": 2, "Job": 3})]
    assert subjects(table) == [OURS, "Job", "Kueue"]


def test_the_table_has_a_column_for_each_subject_and_a_gap_where_one_was_not_measured() -> None:
    results = measured(
        ("latency", OURS, 16, "ms"),
        ("latency", "Kueue", 11, "ms"),
        ("begun", OURS, 2, "1/s"),
        ("begun", "Job", 1, "1/s"),
    )
    lines = report.markdown(results, []).splitlines()
    assert "| measure | unit | ours | Kueue | Job | leads |" in lines
    assert "| latency | ms | 16 | 11 |  | Kueue |" in lines
    assert "| begun | 1/s | 2 |  | 1 | ours |" in lines


def test_the_file_has_the_standings_too(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    results = measured(("latency", OURS, 16, "ms"), ("latency", "Kueue", 11, "ms"))
    report.write(path, results, [], seconds=1, version="1")
    assert json.loads(path.read_text())["standings"] == [
        {"measure": "latency", "unit": "ms", "values": {"ours": 16, "Kueue": 11}, "leader": "Kueue"}
    ]
