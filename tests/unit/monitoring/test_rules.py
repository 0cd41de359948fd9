"""The rules ask for what the operator exports, have runbooks, and are those that are installed."""

import re
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from monitoring.__main__ import files
from monitoring.grafana.boards import boards
from monitoring.rules.alerts import groups
from monitoring.rules.queue_slo import BURN_RATES, QueueSlo
from monitoring.rules.rule import Alert, Links, Record, Severity
from provisioner_operator.api.v1alpha1.enums import EndReason, PendingReason, Phase, PoolCondition
from support.builders.controller import ControllerParts
from support.builders.core import a_job, a_running_job
from support.manifests import MANIFESTS, REPOSITORY
from support.promql import selectors, unknown
from unit.docs.pages import read

RULES = [rule for group in groups(QueueSlo()) for rule in group.rules]
ALERTS = [rule for rule in RULES if isinstance(rule, Alert)]
RECORDS = [rule for rule in RULES if isinstance(rule, Record)]
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
NAMES = sorted({alert.full_name for alert in ALERTS})
VALUES = {"reason": {*PendingReason, *EndReason}, "type": {*PoolCondition}, "phase": {*Phase}}
"""Values of labels that are vocabularies of the API."""


@pytest.mark.parametrize("path", files(), ids=str)
def test_the_generated_file_is_up_to_date(path: Path) -> None:
    assert (REPOSITORY / path).read_text(encoding="utf-8") == files()[path], f"{path}: run `make monitoring`"


@pytest.mark.parametrize("expression", sorted({rule.expr for rule in RULES}))
def test_every_metric_and_label_of_an_expression_is_exported(expression: str) -> None:
    recorded = re.findall(r"provisioner:\w+:\w+", expression)
    assert recorded or list(selectors(expression))
    assert list(unknown(expression)) == []
    assert set(recorded) <= {record.record for record in RECORDS}
    for each in selectors(expression):
        for label, _, value in each.matchers:
            assert set(filter(None, value.split("|"))) <= VALUES.get(label, set(value.split("|")))


@pytest.mark.parametrize(
    "expression",
    [
        "sum(provisioner_nonsense)",
        "sum(provisioner_leader_count)",
        'sum(provisioner_leader{pod="a"})',
        "sum by (pod) (rate(provisioner_job_wait_seconds_count[1h]))",
        "sum by (le) (rate(provisioner_job_wait_seconds_count[1h]))",
        "1 - max by (reason, x) ((provisioner_jobs_pending) > 0)",
    ],
)
def test_what_is_not_exported_is_found(expression: str) -> None:
    assert len(list(unknown(expression))) == 1


def test_the_scraping_keeps_the_namespaces_of_jobs() -> None:
    monitor = yaml.safe_load(
        (MANIFESTS / "components" / "monitoring" / "service_monitor.yaml").read_text(encoding="utf-8")
    )
    assert all(endpoint["honorLabels"] is True for endpoint in monitor["spec"]["endpoints"])


def test_names_follow_the_conventions() -> None:
    assert [name for name in NAMES if not re.fullmatch(r"Provisioner[A-Z][A-Za-z]+", name)] == []
    form = r"provisioner:[a-z_]+:(ratio|increase)\d+[mhd]"
    assert [record.record for record in RECORDS if not re.fullmatch(form, record.record)] == []
    assert len({record.record for record in RECORDS}) == len(RECORDS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}{alert.labels.get('long', '')}")
def test_an_alert_says_what_it_means_and_where_to_read_on(alert: Alert) -> None:
    rule = alert.manifest(Links("https://example.com/", "https://grafana.example.com"))
    assert rule["annotations"] == {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"https://example.com/{alert.full_name}.md",
        "dashboard_url": f"https://grafana.example.com/d/{alert.dashboard}",
    }
    assert all(text.endswith(".") for text in (alert.summary, alert.description))
    assert rule["labels"] == {"severity": alert.severity, **alert.labels}
    assert alert.severity in Severity
    assert alert.dashboard in {board.uid for board in boards(QueueSlo())}


def test_each_alert_has_a_runbook_that_the_index_lists() -> None:
    pages = sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README")
    assert pages == NAMES
    (table,) = read(RUNBOOKS / "README.md").tables
    assert [row[0] for row in table.rows] == [
        f"[{name}]({name}.md)" for name, _ in groupby(a.full_name for a in ALERTS)
    ]
    severities = {
        f"[{name}]({name}.md)": ", ".join(dict.fromkeys(a.severity for a in ALERTS if a.full_name == name))
        for name in NAMES
    }
    assert {row[0]: row[1] for row in table.rows} == severities


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_leads_from_the_meaning_to_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^#+ .*", text, re.MULTILINE) == [
        f"# {name}",
        "## Meaning",
        "## Impact",
        "## Diagnosis",
        "## Mitigation",
    ]
    diagnosis = text.partition("## Diagnosis\n")[2].partition("## Mitigation")[0]
    assert "kubectl " in diagnosis


def test_the_target_is_the_bound_of_a_bucket_that_is_exported() -> None:
    metrics = ControllerParts().metrics
    metrics.jobs.changed(a_job(), a_running_job())
    bounds = {
        each.labels["le"]
        for family in metrics.registry.collect()
        for each in family.samples
        if each.name == "provisioner_job_dispatch_seconds_bucket"
    }
    asked = {
        value for rule in RECORDS for each in selectors(rule.expr) for name, _, value in each.matchers if name == "le"
    }
    assert asked == {"60.0"}
    assert asked <= bounds


def test_a_target_between_two_buckets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"No bucket of the histogram ends at 45 s\. Choose one of 0\.1, 0\.5, 1, "):
        QueueSlo(target_seconds=45)


def test_an_objective_without_a_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves no budget"):
        QueueSlo(1)


@pytest.mark.parametrize("objective", [0.93, 0.9, 0.5, 0])
def test_an_objective_of_which_an_alert_could_never_fire_is_refused(objective: float) -> None:
    with pytest.raises(ValueError, match=r"could never fire\. Choose an objective above 93\.1%"):
        QueueSlo(objective)


@pytest.mark.parametrize("objective", [0.931, 0.95, 0.999])
def test_every_other_objective_leaves_each_alert_a_share_to_exceed(objective: float) -> None:
    slo = QueueSlo(objective)
    limits = [rate.factor * slo.budget for rate in BURN_RATES]
    assert 0 < min(limits) <= max(limits) < 1


def test_another_objective_is_in_the_rules() -> None:
    text = "".join(files(QueueSlo(0.99, 120)).values())
    assert "> 14.4 * 0.01" in text
    assert 'le="120.0"' in text
    assert "60" not in "".join(re.findall('le="[^"]*"', text))
