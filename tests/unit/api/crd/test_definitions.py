"""The generated CRDs are up to date, complete, and free of what the API server does not take."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner_operator.api.crd.definitions import KINDS, SUPPLY, Kind, write
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import JobSpec, ProvisionerJob
from provisioner_operator.api.v1alpha1.names import DAEMONS, POOLS
from provisioner_operator.api.v1alpha1.phase_rules import PHASE_AFTER
from provisioner_operator.core.jobs.lifecycle import TRANSITIONS
from support.manifests import CRDS, MANIFESTS, Manifest

ARTIFACTS = {
    "$ref",
    "$defs",
    "anyOf",
    "oneOf",
    "allOf",
    "title",
    "const",
    "propertyNames",
    "exclusiveMinimum",
    "nullable",
}

INT_OR_STRING = "x-kubernetes-int-or-string"

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)


def test_the_folder_holds_what_the_models_say(tmp_path: Path) -> None:
    write(tmp_path)

    for file in tmp_path.iterdir():
        assert (CRDS / file.name).read_bytes() == file.read_bytes(), f"{file.name} is out of date: run `make crds`"


def test_a_component_holds_the_definition_that_only_it_needs(tmp_path: Path) -> None:
    write(tmp_path, [SUPPLY])

    (file,) = tmp_path.iterdir()
    folder = MANIFESTS / "components" / "match-warnings"
    assert (folder / file.name).read_bytes() == file.read_bytes(), f"{file.name} is out of date: run `make crds`"
    assert file.name in yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]


def test_the_kustomization_lists_every_crd() -> None:
    listed = yaml.safe_load((CRDS / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]

    assert (
        sorted(listed)
        == sorted(kind.file_name for kind in KINDS)
        == sorted(file.name for file in CRDS.glob("*.yaml") if file.name != "kustomization.yaml")
    )


@each_kind
def test_every_field_has_a_description(kind: Kind) -> None:
    properties = dict(_properties(_schema(kind)))
    del properties[".metadata"]  # the API server's own

    assert [path for path, schema in properties.items() if not schema.get("description")] == []


@each_kind
def test_every_rule_has_a_message_and_a_reason(kind: Kind) -> None:
    rules = [rule for schema in _schemas(_schema(kind)) for rule in schema.get("x-kubernetes-validations", [])]

    assert rules
    assert all(rule["message"] and rule["reason"] for rule in rules)
    # What is the same at several places is one rule.
    assert len({rule["message"] for rule in rules}) == len({(rule["message"], rule["rule"]) for rule in rules})


@each_kind
def test_nothing_is_left_of_pydantic(kind: Kind) -> None:
    for schema in _schemas(_schema(kind)):
        assert not schema.keys() & ARTIFACTS
        assert schema.get("type") in {"object", "array", "string", "integer", "boolean"} or schema[INT_OR_STRING]
        assert not {"properties", "additionalProperties"} <= schema.keys()


@each_kind
def test_everything_that_can_grow_has_a_bound(kind: Kind) -> None:
    for path, schema in _properties(_schema(kind)):
        bounds = {"array": "maxItems", "string": "maxLength", "object": "maxProperties"}
        bound = bounds.get(schema.get("type", "string"), "type")
        bounded = schema.keys() & {"enum", "properties", bound} or "format" in schema
        assert bounded or path in {".metadata", ".apiVersion", ".kind"}, path


@each_kind
def test_columns_and_selectable_fields_point_at_fields(kind: Kind) -> None:
    known = {path for path, _ in _properties(_schema(kind))} | {".metadata.creationTimestamp"}

    assert {re.sub(r"\[[^]]*\]", "[]", column.path) for column in kind.columns} <= known
    assert set(kind.selectable_fields) <= known


@each_kind
def test_kubectl_counts_only_times_that_have_come(kind: Kind) -> None:
    """It shows a column of the type `date` as an age, and a time to come as `<invalid>`."""
    past = (".metadata.creationTimestamp", ".status.startedAt", ".status.finishedAt", ".status.lastHeartbeatTime")

    assert {column.path for column in kind.columns if column.type == "date"} <= set(past)


def test_a_new_job_is_pending_without_a_write() -> None:
    status = _schema(KINDS[0])["properties"]["status"]

    assert status["default"]["phase"] == "Pending"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.plural != DAEMONS], ids=lambda kind: kind.plural)
def test_a_new_object_is_not_ready_before_the_controller_has_observed_it(kind: Kind) -> None:
    """A daemon is: nobody waits for one that is registered."""
    (condition,) = _schema(kind)["properties"]["status"]["default"]["conditions"]

    assert (condition["type"], condition["status"]) == ("Ready", "Unknown")


def test_a_pool_can_be_scaled_by_whoever_knows_the_scale_subresource() -> None:
    pools = next(kind for kind in KINDS if kind.plural == POOLS)
    known = {path for path, _ in _properties(_schema(pools))}

    scale = yaml.safe_load(pools.text())["spec"]["versions"][0]["subresources"]["scale"]

    assert scale.keys() == {"specReplicasPath", "statusReplicasPath", "labelSelectorPath"}
    assert set(scale.values()) <= known


def test_all_of_a_jobs_spec_is_frozen_but_what_is_listed_as_mutable() -> None:
    spec = _schema(KINDS[0])["properties"]["spec"]
    frozen = {
        name
        for name, schema in spec["properties"].items()
        for rule in schema.get("x-kubernetes-validations", ())
        if rule["rule"] == "self == oldSelf" and rule["message"].startswith(f"spec.{name} is immutable")
    }

    assert frozen == spec["properties"].keys() - JobSpec.mutable_fields
    assert spec["properties"].keys() >= JobSpec.mutable_fields


def test_the_steps_of_the_rules_are_those_of_the_lifecycle() -> None:
    assert dict(TRANSITIONS) == PHASE_AFTER
    assert set(PHASE_AFTER) == set(Phase)


def test_what_the_api_server_stores_is_what_the_model_reads() -> None:
    stored = {
        "metadata": {"name": "job", "namespace": "acme", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"type": "WorkspaceBuild", "workspaceRef": {"name": "dev"}, "fromTheFuture": 1},
        "status": {
            "phase": "Running",
            "assignment": {"daemon": "d", "daemonUID": "2", "id": "3", "time": "2026-01-01T00:00:00Z"},
        },
    }

    job = ProvisionerJob.model_validate(stored)

    assert job.status.assignment is not None
    assert (job.status.phase, job.status.assignment.daemon_uid) == (Phase.RUNNING, "2")


@functools.cache
def _schema(kind: Kind) -> Manifest:
    version: dict[str, Any] = yaml.safe_load(kind.text())["spec"]["versions"][0]
    schema: Manifest = version["schema"]["openAPIV3Schema"]
    return schema


def _properties(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Each field by its path, list items as `[]`."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from _properties(child, f"{path}.{name}")
    for keyword, step in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in schema:
            yield from _properties(schema[keyword], path + step)


def _schemas(schema: Manifest) -> Iterator[Manifest]:
    """The schema and all within it."""
    yield schema
    children = (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties"))
    for child in children:
        if child is not None and child != {"type": "object"}:
            yield from _schemas(child)
