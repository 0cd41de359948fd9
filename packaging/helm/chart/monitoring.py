"""The objects for Prometheus and Grafana, with the values that concern them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chart.template_text import further, inline, line, optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chart.kustomize import Manifest

RUNBOOKS = "docs/runbooks"
"""The folder of the runbooks in the manifests, whose address a value tells."""


def service_monitor(body: Manifest) -> Manifest:
    """Return the ServiceMonitor with its slots."""
    (endpoint,) = body["spec"]["endpoints"]
    timed = endpoint | {"interval": inline("{{ $.Values.metrics.serviceMonitor.interval }}")}
    spec = body["spec"] | {"endpoints": [timed]}
    return _selected(body, "$.Values.metrics.serviceMonitor.additionalLabels") | {"spec": spec}


def prometheus_rule(body: Manifest) -> Manifest:
    """Return the PrometheusRule with its slots."""
    groups = [group | {"rules": list(_rules(group["rules"]))} for group in body["spec"]["groups"]]
    return _selected(body, "$.Values.prometheusRule.additionalLabels") | {"spec": {"groups": groups}}


def _rules(rules: list[Manifest]) -> Iterator[Any]:
    for rule in rules:
        if "alert" not in rule:
            yield rule
            continue
        yield line(f'{{{{- if not (has "{rule["alert"]}" $.Values.prometheusRule.disabled) }}}}')
        yield rule | {"annotations": _linked(rule["annotations"])}
        yield line("{{- end }}")


def _linked(annotations: Manifest) -> Manifest:
    page = annotations["runbook_url"].removeprefix(RUNBOOKS)
    return annotations | {
        "runbook_url": inline("{{ $.Values.prometheusRule.runbookBase }}" + page),
        "dashboard_url": inline("{{ $.Values.prometheusRule.grafanaBase }}" + annotations["dashboard_url"]),
    }


def dashboard(body: Manifest) -> Manifest:
    """Return the ConfigMap of a dashboard with its slots."""
    labels = {key: each for key, each in body["metadata"]["labels"].items() if key != "grafana_dashboard"}
    metadata = body["metadata"] | {
        "labels": labels | {further("$.Values.dashboards.labels"): None},
        optional("annotations", "$.Values.dashboards.annotations"): None,
    }
    return body | {"metadata": metadata}


def _selected(body: Manifest, values: str) -> Manifest:
    metadata = body["metadata"] | {"labels": body["metadata"]["labels"] | {further(values): None}}
    return body | {"metadata": metadata}
