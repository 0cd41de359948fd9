"""A real Prometheus scrapes a real operator: rules are evaluated, and every panel of every dashboard has series."""

import time
from collections.abc import Callable

import pytest

from monitoring.grafana.board import Query
from monitoring.grafana.boards import boards
from monitoring.rules.queue_slo import QueueSlo
from support.cluster.kubelet import a_pool
from support.programs.programs import OperatorProgram
from support.programs.prometheus_server import PrometheusServer
from support.programs.prometheus_tools import check, need_promtool
from support.test_namespace import ProductNamespace

WITHIN = 120.0
"""Seconds for series to arrive: some scrapes, one each second on a quiet machine."""
BOARDS = boards(QueueSlo())
QUERIES = [
    pytest.param(query, id=f"{board.name}: {panel.title} {number}")
    for board in BOARDS
    for panel in board.panels()
    for number, query in enumerate(panel.queries)
]
VARIABLES = {"$__rate_interval": "1m", "$__range": "5m", "$namespace": ".*", "$template": ".*"}
"""Values that Grafana puts in place of its variables."""


def until(holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + WITHIN
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def with_values(query: Query) -> str:
    expression = query.expr
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_has_series(prometheus: PrometheusServer, query: Query) -> None:
    expression = with_values(query)
    found = prometheus.query(expression)  # in any case, it is a query that Prometheus understands
    assert found or query.sometimes or until(lambda: prometheus.query(expression)), expression


def test_jobs_are_counted_in_their_own_namespace(prometheus: PrometheusServer, product: ProductNamespace) -> None:
    query = 'provisioner_jobs_ended_total{template="docker"}'
    assert until(lambda: len(prometheus.query(query)) == 2)
    assert {each["metric"]["namespace"] for each in prometheus.query(query)} == {product.namespace}


def test_the_table_of_queues_names_the_pool_of_those_that_have_one(
    prometheus: PrometheusServer, product: ProductNamespace
) -> None:
    product.admin.create(a_pool("mac", tags={"os": "darwin"}, replicas=0))
    product.submit("queued", tags={"os": "darwin"})
    depth = next(panel for board in BOARDS for panel in board.panels() if panel.title == "Queues").queries[0]

    def pools() -> dict[str, str | None]:
        found = prometheus.query(with_values(depth))
        return {each["metric"]["tags"]: each["metric"].get("pool") for each in found}

    assert until(lambda: pools() == {"gpu=yes": None, "os=darwin": "mac"}), pools()


def test_a_stuck_job_is_an_alert_that_waits_for_its_time(prometheus: PrometheusServer) -> None:
    alerts = 'ALERTS{alertname="ProvisionerJobsStuck",reason="NoMatchingDaemon"}'
    assert until(lambda: prometheus.query(alerts))
    assert [each["metric"]["alertstate"] for each in prometheus.query(alerts)] == ["pending"]


def test_every_rule_is_evaluated_without_error(prometheus: PrometheusServer) -> None:
    def rules() -> list[dict[str, str]]:
        return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    assert until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert [(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"] == []
    assert len(rules()) > 20


def test_prometheus_finds_nothing_to_object_to_in_a_live_scrape(
    operator: OperatorProgram, prometheus: PrometheusServer
) -> None:
    assert until(lambda: prometheus.query("provisioner_job_stage_seconds_count"))
    status, page = operator.fetch("/metrics")
    assert status == 200
    assert 'provisioner_job_stage_seconds_count{stage="echo"}' in page
    assert check(need_promtool(), "check", "metrics", given=page) == (0, "")
