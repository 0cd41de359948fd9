"""Objects in files, each with the metrics that it should have: `NAME.yaml` and `NAME.prom`."""

from functools import cache
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitoring.state_metrics.metrics import state_metrics
from provisioner_operator.api.crd.definitions import KINDS
from support.manifests import SUPPORT_DATA, Manifest
from support.state_metrics.evaluation import Sample, samples

FOLDER = SUPPORT_DATA / "state_metrics"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
NAMESPACE = "acme"
"""Namespace of the objects in the metrics."""


def fixture(name: str) -> Manifest:
    """Return an object as it is written: without a namespace, and without a status if nobody has observed it."""
    body: Manifest = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return body


def stored(name: str) -> Manifest:
    """Return an object as the API server has it: with the defaults of its status."""
    body = fixture(name)
    schema = definition_schema(body["kind"])
    spec, status = (
        _with_defaults(schema["properties"][part], body.get(part, schema["properties"][part].get("default", {})))
        for part in ("spec", "status")
    )
    return body | {"metadata": body["metadata"] | {"namespace": NAMESPACE}, "spec": spec, "status": status}


@cache
def definition_schema(kind: str) -> Manifest:
    """Return the schema of a kind's definition."""
    definition = next(each for each in KINDS if each.model.__name__ == kind).definition()
    schema: Manifest = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def golden(name: str) -> list[Sample]:
    """Return the metrics that an object should have."""
    return parsed((FOLDER / f"{name}.prom").read_text(encoding="utf-8"))


def parsed(text: str) -> list[Sample]:
    """Return the series of a page in Prometheus' format, in order."""
    return sorted(
        Sample(each.name, tuple(sorted(each.labels.items())), each.value)
        for family in text_string_to_metric_families(text)
        for each in family.samples
    )


def golden_files() -> dict[Path, str]:
    """Return the text of each file of metrics."""
    return {
        FOLDER / f"{name}.prom": "".join(each.text() for each in samples(state_metrics(), stored(name)))
        for name in NAMES
    }


def _with_defaults(schema: Manifest, value: Manifest) -> Manifest:
    """Return the object with its schema's defaults, as the API server stores it."""
    filled = dict(value)
    for name, field in schema.get("properties", {}).items():
        if name not in filled and "default" in field:
            filled[name] = field["default"]
        if "properties" in field and name in filled:
            filled[name] = _with_defaults(field, filled[name])
    return filled
