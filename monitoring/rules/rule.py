"""Rules as values: recording rules, and alerts with what a runbook link and a notification need. Knows no metric."""

from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "Provisioner"
"""Prefix of the alerts' names, among those of other products."""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that the annotations of alerts begin with."""

    runbooks: str = "docs/runbooks/"
    """Folder of the runbooks: a path in this repository, unless the generator is given an address."""
    grafana: str = ""
    """Grafana; without an address, links to dashboards are paths there."""


DEFAULT_LINKS = Links()


class Severity(StrEnum):
    """Urgency of an alert, as the usual routes of Alertmanager expect it."""

    CRITICAL = "critical"
    """Somebody has to act now."""
    WARNING = "warning"
    """Somebody has to act today."""
    INFO = "info"
    """Worth knowing beside other alerts."""


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule. Its name is `provisioner:<metric>:<op><window>`."""

    record: str
    expr: str

    def manifest(self) -> dict[str, object]:
        """Return the rule as Prometheus reads it."""
        return {"record": self.record, "expr": self.expr}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. The name of its runbook is its own."""

    name: str
    severity: Severity
    expr: str
    summary: str
    description: str
    dashboard: str
    """Uid of the dashboard that shows more."""
    pending: str | None = None
    """Time for which the expression has to hold (`for`)."""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Name with the product's prefix."""
        return PREFIX + self.name

    def manifest(self, links: Links = DEFAULT_LINKS) -> dict[str, object]:
        """Return the rule as Prometheus reads it."""
        return {
            "alert": self.full_name,
            "expr": self.expr,
            **({} if self.pending is None else {"for": self.pending}),
            "labels": {"severity": self.severity.value, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{links.runbooks}{self.full_name}.md",
                "dashboard_url": f"{links.grafana}/d/{self.dashboard}",
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in their order."""

    name: str
    rules: tuple[Record | Alert, ...]

    def manifest(self, links: Links = DEFAULT_LINKS) -> dict[str, object]:
        """Return the group as Prometheus reads it."""
        rules = [each.manifest(links) if isinstance(each, Alert) else each.manifest() for each in self.rules]
        return {"name": self.name, "rules": rules}
