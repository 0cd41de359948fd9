"""Prometheus itself takes the rules, and each alert fires when it should, and only then."""

from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from component.monitoring.alert_cases import CASES
from component.monitoring.promtool_tests import alert_of, alerts, all_tests, delayed, documents
from monitoring.rules.alerts import groups
from monitoring.rules.prometheus_rule import rules_file
from monitoring.rules.queue_slo import QueueSlo
from monitoring.rules.rule import Alert, Group
from support.builders.controller import ControllerParts
from support.programs.prometheus_tools import check, need_promtool


@pytest.fixture(scope="module")
def promtool() -> Path:
    return need_promtool()


def outcome_of(promtool: Path, folder: Path, rules: tuple[Group, ...]) -> tuple[int, str]:
    """The outcome of all cases with these rules."""
    files = documents(rules)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return check(promtool, "test", "rules", *(str(folder / name) for name in files if name.endswith(".tests.yaml")))


def test_every_alert_has_a_case() -> None:
    assert {id_of(alert_of(case)) for case in CASES} == {id_of(alert) for alert in alerts()}


def id_of(alert: Alert) -> tuple[str, str]:
    return alert.name, str(sorted(alert.labels.items()))


def test_every_case_fires_and_is_quiet_and_each_alert_is_seen_just_before() -> None:
    names = Counter(test["name"].partition(" ")[2] for test in all_tests())
    assert names["fires"] == names["stays quiet"] == len(CASES)
    immediately = [case for case in CASES if alert_of(case).pending is None and not case.begins]
    assert immediately == []
    assert names["does not fire before"] == len(CASES)


def test_prometheus_takes_the_rules(promtool: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules_file(groups(QueueSlo())), encoding="utf-8")
    code, output = check(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert code == 0, output


def test_each_alert_fires_after_its_time_and_not_otherwise(promtool: Path, tmp_path: Path) -> None:
    code, output = outcome_of(promtool, tmp_path, groups(QueueSlo()))
    assert code == 0, output


def test_an_alert_that_comes_late_would_be_noticed(promtool: Path, tmp_path: Path) -> None:
    late = tuple(
        Group(group.name, tuple(delayed(rule) if isinstance(rule, Alert) else rule for rule in group.rules))
        for group in groups(QueueSlo())
    )
    code, output = outcome_of(promtool, tmp_path, late)
    assert code != 0
    assert [alert.full_name for alert in alerts() if f"alertname: {alert.full_name}" not in output] == []


def test_prometheus_finds_nothing_to_object_to_in_the_metrics(promtool: Path) -> None:
    page = generate_latest(ControllerParts().metrics.registry).decode()
    code, output = check(promtool, "check", "metrics", given=page)
    assert (code, output) == (0, "")
