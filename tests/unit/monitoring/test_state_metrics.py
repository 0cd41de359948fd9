"""The configuration of kube-state-metrics fits the API, stays small, and gives the metrics that the fixtures show."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitoring.state_metrics.config import Family, Gauge, Info, StateMetrics, StateSet
from monitoring.state_metrics.metrics import MOST_SERIES, state_metrics
from monitoring.state_metrics.rendering import CONFIG, CONFIG_MAP, HELM_VALUES, ROLE, config_content
from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.crd.reference import CONDITIONS
from support.manifests import MANIFESTS, REPOSITORY
from support.state_metrics.evaluation import samples
from support.state_metrics.fixtures import NAMES, definition_schema, golden, golden_files, parsed, stored
from unit.docs.pages import read

RESOURCES = {each.group_version_kind.kind: each for each in state_metrics().spec.resources}
MODELS = {kind.model.__name__: kind.model for kind in KINDS}
FAMILIES = [pytest.param(kind, family, id=family.name) for kind, each in RESOURCES.items() for family in each.metrics]
METADATA = {"name": {"type": "string"}, "namespace": {"type": "string"}}
NEVER_LABELS = {"initiator", "owner", "message", "job", "uid"}
"""Fields with people, texts, and names of jobs."""


def schema_of(kind: str) -> dict[str, Any]:
    schema = definition_schema(kind)
    return schema | {"properties": schema["properties"] | {"metadata": {"properties": METADATA}}}


def field_at(schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        schema = schema["properties"][step]
    return schema


def label_paths(kind: str, family: Family) -> Iterator[tuple[str, ...]]:
    yield from RESOURCES[kind].labels_from_path.values()
    match family.each:
        case Gauge(gauge=source):
            yield from (source.labels_from_path or {}).values()
        case Info(info=source):
            yield from source.labels_from_path.values()
        case StateSet(state_set=source):
            yield source.path


def test_the_committed_file_is_what_the_strict_model_admits() -> None:
    written = yaml.safe_load((REPOSITORY / CONFIG).read_text(encoding="utf-8"))
    assert StateMetrics.model_validate(written, by_name=False) == state_metrics()


def test_every_kind_but_jobs_is_measured() -> None:
    assert RESOURCES.keys() == MODELS.keys() - {"ProvisionerJob"}


@pytest.mark.parametrize(("kind", "family"), FAMILIES)
def test_a_metric_reads_fields_that_exist_and_are_of_its_type(kind: str, family: Family) -> None:
    schema = schema_of(kind)
    match family.each:
        case Gauge(gauge=source):
            value = field_at(schema, source.path)
            if source.value_from is not None:
                schema = value["items"]
                value = field_at(schema, source.value_from)
                assert value["enum"] == ["True", "False", "Unknown"]
            else:
                assert value["type"] in {"integer", "boolean"} or value["format"] == "date-time"
                assert (value.get("format") == "date-time") == family.name.endswith("_timestamp_seconds")
            assert all(field_at(schema, path)["type"] == "string" for path in (source.labels_from_path or {}).values())
        case Info(info=source):
            types = {field_at(schema, path)["type"] for path in source.labels_from_path.values()}
            assert types <= {"string", "boolean"}
        case StateSet(state_set=source):
            assert list(source.values) == field_at(schema, source.path)["enum"]


@pytest.mark.parametrize(("kind", "family"), FAMILIES)
def test_no_label_names_a_person_or_a_job_or_holds_a_text(kind: str, family: Family) -> None:
    assert [path for path in label_paths(kind, family) if path[-1] in NEVER_LABELS] == []


@pytest.mark.parametrize("kind", RESOURCES)
def test_no_object_has_more_series_than_allowed(kind: str) -> None:
    conditions = len(CONDITIONS[MODELS[kind]].types)
    assert 0 < RESOURCES[kind].most_series(conditions) <= MOST_SERIES


def test_the_bound_is_that_of_an_object_with_all_values() -> None:
    workspace = RESOURCES["Workspace"]
    assert len(golden("workspace-running")) == workspace.most_series(len(CONDITIONS[MODELS["Workspace"]].types))


@pytest.mark.parametrize("name", NAMES)
def test_an_object_has_the_metrics_of_its_file(name: str) -> None:
    assert samples(state_metrics(), stored(name)) == golden(name)


def test_the_files_of_metrics_are_current() -> None:
    for path, text in golden_files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make monitoring`, and read the difference"


def test_the_fixtures_show_every_metric_and_every_condition() -> None:
    shown = [each for name in NAMES for each in golden(name)]
    assert {each.metric for each in shown} == {
        each.full_name(family) for each in RESOURCES.values() for family in each.metrics
    }
    for kind in RESOURCES:
        types = {dict(each.labels).get("type") for each in shown if ("customresource_kind", kind) in each.labels}
        assert types - {None} == {*CONDITIONS[MODELS[kind]].types}


def test_values_are_read_as_kube_state_metrics_reads_them() -> None:
    """Words as in conditions, times in whole seconds since 1970, and nothing for what is absent."""
    values = {
        (each.metric.removeprefix("kube_provisioner_"), dict(each.labels).get("type")): each.value
        for name in ("workspace-running", "daemon-busy")
        for each in golden(name)
    }
    assert values["workspace_condition", "Outdated"] == 1
    assert values["workspace_condition", "Drifted"] == 0  # Unknown
    assert values["workspace_latest_build_finished_timestamp_seconds", None] == 1732968000  # without its fraction
    assert values["daemon_cordoned", None] == 1
    fresh = {each.metric for each in golden("workspace-fresh")}
    assert not {each for each in fresh if each.endswith("_timestamp_seconds")}


def changed(path: str, value: object) -> dict[str, Any]:
    """The configuration with another value at a path of keys and numbers; None removes it."""
    content = config_content(state_metrics())
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = content
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return content


FIRST = "spec.resources.0"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("kind", "CustomResourceStateMetric", "kind"),
        ("apiVersion", "v1", "apiVersion"),
        (f"{FIRST}.metricPrefix", "x", "metricPrefix"),
        (f"{FIRST}.groupVersionKind.version", None, "version"),
        (f"{FIRST}.errorLogV", 11, "errorLogV"),
        (f"{FIRST}.labelsFromPath.customresource_kind", ["kind"], "means something else"),
        (f"{FIRST}.labelsFromPath.instance", ["kind"], "means something else"),
        (f"{FIRST}.labelsFromPath.*", ["metadata", "labels"], "pattern"),
        (f"{FIRST}.labelsFromPath.template", ["spec"], "another label is named"),
        (f"{FIRST}.labelsFromPath.namespace", [], "at least 1 item"),
        (f"{FIRST}.metrics.0.name", "workspace_facts", "named _info"),
        (f"{FIRST}.metrics.1.name", "workspace_phase_info", "named _info"),
        (f"{FIRST}.metrics.2.name", "workspace_phase", "defined twice"),
        (f"{FIRST}.metrics.1.help", "its phase", "pattern"),
        (f"{FIRST}.metrics.1.each.type", "Gauge", "gauge"),
        (f"{FIRST}.metrics.1.each.type", "Counter", "Counter"),
        (f"{FIRST}.metrics.1.each.stateSet.list", ["Pending"], "at least 2 items"),
        (f"{FIRST}.metrics.2.each.gauge.nilIsZero", True, "nilIsZero"),
        (f"{FIRST}.metrics.0.each.info.labelsFromPath", {}, "at least 1 item"),
    ],
)
def test_what_kube_state_metrics_would_ignore_or_misread_is_refused(path: str, value: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        StateMetrics.model_validate(changed(path, value), by_name=False)


def test_all_ways_to_install_it_have_the_same_configuration_and_rights() -> None:
    config = yaml.safe_load((REPOSITORY / CONFIG).read_text(encoding="utf-8"))
    chart = yaml.safe_load((REPOSITORY / HELM_VALUES).read_text(encoding="utf-8"))["kube-state-metrics"]
    role, binding = yaml.safe_load_all((REPOSITORY / ROLE).read_text(encoding="utf-8"))
    config_map = yaml.safe_load((REPOSITORY / CONFIG_MAP).read_text(encoding="utf-8"))

    assert chart["customResourceState"] == {"enabled": True, "config": config}
    assert yaml.safe_load(config_map["data"]["config.yaml"]) == config
    assert chart["rbac"]["extraRules"] == role["rules"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert config_map["metadata"]["namespace"] == binding["subjects"][0]["namespace"]
    listed = yaml.safe_load((MANIFESTS / "components/kube-state-metrics/kustomization.yaml").read_text("utf-8"))
    assert [Path(each).name for each in listed["resources"]] == [CONFIG_MAP.name, ROLE.name]


def test_every_query_of_the_docs_asks_for_metrics_and_labels_that_exist() -> None:
    page = read(REPOSITORY / "docs" / "monitoring.md")
    names = {each.full_name(family): (each, family) for each in RESOURCES.values() for family in each.metrics}
    asked = [found for code in page.code for found in re.findall(r"\b(kube_provisioner_\w+)(?:\{([^}]*)\})?", code)]
    assert len(asked) > 3
    for metric, matchers in asked:
        resource, family = names[metric]
        labels = {*resource.labels_from_path, *family.labels}
        assert {name for name, _ in re.findall(r'(\w+)\s*(?:=~|!=|=)\s*"([^"]*)"', matchers)} <= labels


def test_a_page_of_metrics_is_read_back_as_it_was_written() -> None:
    text = "".join(each.text() for each in golden("pool-autoscaled"))
    assert parsed(text) == golden("pool-autoscaled")
    assert json.loads(json.dumps(stored("pool-autoscaled")))["spec"]["replicas"] == 1
