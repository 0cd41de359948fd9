"""Tests of promtool, made from cases: each alert fires after its time, is pending just before, and does not fire otherwise."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import yaml

from component.monitoring.alert_cases import CASES, Case, Series
from monitoring.rules.alerts import groups
from monitoring.rules.prometheus_rule import rules_file
from monitoring.rules.queue_slo import QueueSlo
from monitoring.rules.rule import Alert, Group

_MINUTES = {"m": 1, "h": 60}
_LATER = 20
"""Minutes after the time of an alert at which a quiet one is looked at again."""
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_VALUE = re.compile(r"\{\{ \$value[^}]*\}\}")


def alerts() -> Iterator[Alert]:
    """All alerts."""
    return (rule for group in groups(QueueSlo()) for rule in group.rules if isinstance(rule, Alert))


def alert_of(case: Case) -> Alert:
    """The alert that a case is about."""
    (found,) = (each for each in alerts() if each.name == case.alert and case.rate.items() <= each.labels.items())
    return found


def documents(rules: Sequence[Group]) -> dict[str, str]:
    """Files of rules and their tests, by name. Each alert has its own: all rules for all cases would take minutes."""
    found: dict[str, str] = {}
    for group in _split(rules):
        found[f"{group.name}.rules.yaml"] = rules_file([group])
        names = {rule.name for rule in group.rules if isinstance(rule, Alert)}
        tests = [test for case in CASES if case.alert in names for test in _tests_of(case)]
        document = {"rule_files": [f"{group.name}.rules.yaml"], "evaluation_interval": "1m", "tests": tests}
        found[f"{group.name}.tests.yaml"] = yaml.safe_dump(document)
    return found


def _split(rules: Sequence[Group]) -> Iterator[Group]:
    """A group for each alert, unless it needs the recording rules of its group."""
    for group in rules:
        if all(isinstance(rule, Alert) for rule in group.rules):
            yield from (Group(rule.name, (rule,)) for rule in group.rules if isinstance(rule, Alert))
        else:
            yield group


def all_tests() -> Iterator[dict[str, Any]]:
    """All tests of all cases."""
    return (test for case in CASES for test in _tests_of(case))


def delayed(alert: Alert) -> Alert:
    """The alert with a `for` that is a minute longer, as a mistake would make it."""
    return replace(alert, pending=f"{minutes(alert) + 1}m")


def minutes(alert: Alert) -> int:
    """The alert's `for`."""
    return 0 if alert.pending is None else int(alert.pending[:-1]) * _MINUTES[alert.pending[-1]]


def _tests_of(case: Case) -> Iterator[dict[str, Any]]:
    alert = alert_of(case)
    fires = case.begins + minutes(alert)
    yield _test(case.firing, f"{case.alert} fires", alert_rule_test=[_firing(case, alert, fires)])
    if fires > 0:
        states = [_count(alert, "firing", fires - 1, 0)]
        if alert.pending is not None:
            states.append(_count(alert, "pending", fires - 1, 1))
        yield _test(case.firing, f"{case.alert} does not fire before", promql_expr_test=states)
    quiet = [_count(alert, "firing", minute, 0) for minute in (fires, fires + _LATER)]
    yield _test(case.quiet, f"{case.alert} stays quiet", promql_expr_test=quiet)


def _test(series: Series, name: str, **expected: list[dict[str, Any]]) -> dict[str, Any]:
    given = [{"series": each, "values": values} for each, values in series.items()]
    return {"interval": "1m", "name": name, "input_series": given, **expected}


def _count(alert: Alert, state: str, minute: int, count: int) -> dict[str, Any]:
    """The number of alerts in that state: there are others of the same name, with other labels."""
    own = "".join(f',{name}="{value}"' for name, value in alert.labels.items())
    return {
        "eval_time": f"{minute}m",
        "expr": f'count(ALERTS{{alertname="{alert.full_name}",alertstate="{state}"{own}}})',
        "exp_samples": [{"labels": "{}", "value": count}] if count else [],
    }


def _firing(case: Case, alert: Alert, minute: int) -> dict[str, Any]:
    labels = {"severity": alert.severity.value, **alert.labels, **case.labels}
    annotations: Any = alert.manifest()["annotations"]
    shown = {name: _rendered(text, case) for name, text in annotations.items()}
    return {
        "eval_time": f"{minute}m",
        "alertname": alert.full_name,
        "exp_alerts": [{"exp_labels": labels, "exp_annotations": shown}],
    }


def _rendered(text: str, case: Case) -> str:
    """The text as Prometheus shows it. A label that the alert does not have raises KeyError."""
    return _VALUE.sub(case.value, _LABEL.sub(lambda found: case.labels[found[1]], text))
