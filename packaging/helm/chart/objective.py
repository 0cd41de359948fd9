"""The objective for the wait of jobs, which the values set.

Rules and dashboards are generated for an objective whose numbers occur nowhere else; in the templates, Helm's expressions take
the place of these numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chart.kustomize import parsed
from monitoring.grafana.boards import boards, config_maps
from monitoring.rules.alerts import groups
from monitoring.rules.prometheus_rule import prometheus_rule
from monitoring.rules.queue_slo import BURN_RATES, QueueSlo
from monitoring.rules.rule import DEFAULT_LINKS
from provisioner_operator.controller.telemetry.job_metrics import WAIT_BUCKETS

if TYPE_CHECKING:
    from chart.kustomize import Manifest

DEFAULT = QueueSlo()
STAND_IN = QueueSlo(objective=0.938271, target_seconds=1800.0)
TARGET, BUDGET = "$.Values.prometheusRule.slo.targetSeconds", '(include "provisioner-operator.errorBudget" $)'
EXPRESSIONS = {
    f"{STAND_IN.target_seconds:.1f}": f'{{{{ printf "%.1f" (float64 {TARGET}) }}}}',
    f"{STAND_IN.target_seconds:g}": f"{{{{ {TARGET} }}}}",
    f"{STAND_IN.budget:g}": f"{{{{ {BUDGET} }}}}",
    f"{STAND_IN.budget:.0%}": f'{{{{ printf "%.0f%%" (mulf 100 (float64 {BUDGET})) }}}}',
}
"""Numbers of the stand-in as they are written, the longer ones first, and what takes their place."""
LEAST = 1 - 1 / max(rate.factor for rate in BURN_RATES)
"""Share of jobs; with a lower objective, the fastest burn rate would be more than all jobs."""
TARGETS = list(WAIT_BUCKETS)


def for_stand_in(body: Manifest) -> Manifest:
    """Return a rule or a dashboard as it is for the stand-in, and any other object as it is."""
    generated = prometheus_rule(groups(STAND_IN), DEFAULT_LINKS), config_maps(boards(STAND_IN))
    found = {(each["kind"], each["metadata"]["name"]): each for text in generated for each in parsed(text)}
    return found.get((body["kind"], body["metadata"]["name"]), body)


def spliced(text: str) -> str:
    """Return the text of a template with expressions in the place of the stand-in's numbers."""
    for number, expression in EXPRESSIONS.items():
        text = text.replace(number, expression)
    return text
