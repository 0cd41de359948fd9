"""Reading of the configuration as kube-state-metrics reads it, written after its sources (pkg/customresourcestate, v2).

kube-state-metrics itself cannot be had as a Go module here; where its program is, a test compares both. Complete for what
`monitoring.state_metrics.config` admits, and no more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.state_metrics.config import (
    GROUP_LABEL,
    KIND_LABEL,
    VERSION_LABEL,
    Family,
    FieldPath,
    Gauge,
    GaugeSource,
    Info,
    Labels,
    Resource,
    StateMetrics,
    StateSet,
    StateSetSource,
)
from support.manifests import Manifest

_NUMBERS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0, "unknown": 0.0}
"""Words that are numbers, in any case."""


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One series with its value."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    """Names and values, by name."""
    value: float

    def text(self) -> str:
        """Return its line in Prometheus' format."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.metric}{{{labels}}} {self.value:.15g}\n"


def samples(config: StateMetrics, body: Manifest) -> list[Sample]:
    """Return the series of an object, in order."""
    return sorted(each for resource in _resources(config, body) for each in _of_resource(resource, body))


def exposition(config: StateMetrics, bodies: Iterable[Manifest]) -> str:
    """Return what is served for these objects: each metric with its help and type, and all its series."""
    found = [each for body in bodies for each in samples(config, body)]
    lines = []
    for resource in config.spec.resources:
        for family in resource.metrics:
            name = resource.full_name(family)
            lines += [f"# HELP {name} {family.help}\n", f"# TYPE {name} gauge\n"]
            lines += [each.text() for each in found if each.metric == name]
    return "".join(lines)


def _resources(config: StateMetrics, body: Manifest) -> Iterator[Resource]:
    for each in config.spec.resources:
        kind = each.group_version_kind
        if (body["apiVersion"], body["kind"]) == (f"{kind.group}/{kind.version}", kind.kind):
            yield each


def _of_resource(resource: Resource, body: Manifest) -> Iterator[Sample]:
    kind = resource.group_version_kind
    shared = {GROUP_LABEL: kind.group, VERSION_LABEL: kind.version, KIND_LABEL: kind.kind}
    shared |= _labels(resource.labels_from_path, body)
    for family in resource.metrics:
        for labels, value in _values(family, body):
            yield Sample(resource.full_name(family), tuple(sorted((shared | labels).items())), value)


def _values(family: Family, body: Manifest) -> Iterable[tuple[dict[str, str], float]]:
    match family.each:
        case Gauge(gauge=source):
            return _numbers(source, body)
        case Info(info=source):
            labels = _labels(source.labels_from_path, body)
            return [(labels, 1.0)] if labels else []
        case StateSet(state_set=source):
            return _states(source, body)


def _numbers(source: GaugeSource, body: Manifest) -> Iterator[tuple[dict[str, str], float]]:
    present = _at(source.path, body)
    for each in present if isinstance(present, list) else [present]:
        value = each if source.value_from is None else _at(source.value_from, each)
        if value is not None:
            yield _labels(source.labels_from_path or {}, each), _number(value)


def _states(source: StateSetSource, body: Manifest) -> Iterator[tuple[dict[str, str], float]]:
    present = _at(source.path, body)
    if isinstance(present, str):
        for each in source.values:
            yield {source.label_name: each}, float(each == present)


def _labels(paths: Labels, body: object) -> dict[str, str]:
    found = {name: _at(path, body) for name, path in paths.items()}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in found.items()
        if value is not None
    }


def _at(path: FieldPath, body: object) -> Any:
    for step in path:
        body = body.get(step) if isinstance(body, Mapping) else None
    return body


def _number(value: float | str) -> float:
    if not isinstance(value, str):
        return float(value)
    if value.lower() in _NUMBERS:
        return _NUMBERS[value.lower()]
    return float(datetime.fromisoformat(value).timestamp() // 1)
