"""The API server refuses what the rules of the CRDs forbid, at the field and in the rule's words."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from integration.api.violations import CHANGES, CREATIONS, Change, Creation
from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import JOBS
from support.builders.manifests import (
    a_daemon_manifest,
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)
from support.cluster.kubectl import Kubectl, patch_arguments
from support.manifests import Manifest

A_TEMPLATE: Manifest = {
    "image": "registry.example.com/provisioner-operator@sha256:0123",
    "resources": {
        "requests": {"cpu": 1, "memory": "256Mi", "example.com/gpu": "1"},
        "limits": {"memory": "1.5Gi", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1e9"},
    },
    "env": [
        {"name": "PLAIN", "value": ""},
        {"name": "BARE"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token", "optional": True}}},
        {"name": "SETTING", "valueFrom": {"configMapKeyRef": {"name": "proxy", "key": "url"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "nodeSelector": {"kubernetes.io/os": "linux", "pool": ""},
    "tolerations": [
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
        {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
    "podLabels": {"azure.workload.identity/use": "true"},
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "terminationGracePeriodSeconds": 60,
}
"""A pool's template with every field set."""


@pytest.mark.parametrize("row", CREATIONS, ids=str)
def test_an_object_that_breaks_a_rule_is_not_created(row: Creation, kubectl: Kubectl) -> None:
    refusal = kubectl.refusal("create", "--dry-run=server", "-f", "-", given=row.manifest)

    assert row.says in refusal
    assert f"{row.at}:" in refusal


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_a_change_that_breaks_a_rule_is_refused(
    row: Change, kubectl: Kubectl, job_in: Callable[[Phase | str], str], workspace: str
) -> None:
    name = job_in(row.job) if row.kind == JOBS else workspace
    subresource = ["--subresource=status"] if "status" in row.patch else []

    refusal = kubectl.refusal("patch", row.kind, name, *patch_arguments(row.patch), "--dry-run=server", *subresource)

    assert row.says in refusal
    assert f"{row.at}:" in refusal


def test_every_rule_of_the_crds_has_a_row_that_breaks_it() -> None:
    in_crds = {
        (kind.plural, rule["message"])
        for kind in KINDS
        for version in yaml.safe_load(kind.text())["spec"]["versions"]
        for rule in _rules(version["schema"]["openAPIV3Schema"])
    }

    rows: tuple[Creation | Change, ...] = (*CREATIONS, *CHANGES)

    assert {(row.kind, row.rule) for row in rows} == in_crds


@pytest.mark.parametrize(
    "manifest",
    [
        a_job_manifest(tags={"scope": "organization", "owner": ""}),
        a_job_manifest(tags={"scope": "user", "owner": "somebody@example.com"}),
        a_job_manifest(tags={"example.com/zone_1": "Any value: at all"}),
        a_job_manifest(type="TemplateDryRun", transition=None, workspaceRef=None),
        a_job_manifest(source={"inline": {"files": {"main.tf": "", ".terraform.lock.hcl": ""}}}),
        a_job_manifest(source={"inline": {"files": {"a.tf": "x" * 262_144, "b.tf": "x" * 262_144}}}),
        a_job_manifest(source={"git": {"url": "https://git.example.com:8443/team/templates.git"}}),
        a_job_manifest(
            source={
                "git": {
                    "url": "http://git.example.com/a",
                    "ref": "refs/heads/feature/x-1.2",
                    "commit": "0123456789" * 4,
                    "path": "environments/.hidden/dev",
                    "secretRef": {"name": "login"},
                }
            }
        ),
        a_job_manifest(variables=[{"name": f"v{number}", "value": "x" * 2048} for number in range(128)]),
        a_job_manifest(tags={f"key-{number}": "x" * 253 for number in range(32)}),
        a_job_manifest("n" * 63),
        a_daemon_manifest(tags={"scope": "user", "owner": "somebody", "environment": "on-prem"}),
        a_pool_manifest("n" * 57, tags={"scope": "user", "owner": "somebody", "environment": "on-prem"}),
        a_pool_manifest(replicas=0),
        a_pool_manifest(replicas=1, autoscaling={"maxReplicas": 1}),
        a_pool_manifest(template=A_TEMPLATE),
        a_job_manifest(source={"git": {"url": "https://git.example.com:8443/a/b.git", "ref": "v1.0", "path": "a/b"}}),
        a_template_manifest("n" * 45, parameters=[{"name": "size", "type": "number", "default": "-0.5"}]),
        a_template_manifest(parameters=[{"name": "list", "type": "list(string)", "default": '["a"]'}]),
        a_workspace_manifest("n" * 53, running=False, tags={"environment": "on-prem"}, autostopSeconds=60),
    ],
    ids=lambda manifest: str(manifest["spec"])[:60],
)
def test_what_the_rules_allow_is_created(manifest: Manifest, kubectl: Kubectl) -> None:
    assert kubectl.create(manifest, "--dry-run=server")["metadata"]["uid"]


@pytest.mark.parametrize(
    "change",
    [
        {"priority": 5, "suspend": True, "ttlSecondsAfterFinished": 60},
        {"cancel": True, "cancelReason": "stuck", "cancelMode": "Force"},
    ],
    ids=str,
)
def test_what_is_not_frozen_can_change(
    change: Manifest, kubectl: Kubectl, job_in: Callable[[Phase | str], str]
) -> None:
    stored = kubectl.patch("pj", job_in("fresh"), {"spec": change}, "--dry-run=server")

    assert stored["spec"].items() >= change.items()


def test_an_absent_list_or_map_equals_an_empty_one(kubectl: Kubectl, job_in: Callable[[Phase | str], str]) -> None:
    empty: Manifest = {"tags": {}, "variables": [], "variablesFrom": []}

    assert (
        kubectl.patch("pj", job_in(Phase.PENDING), {"spec": empty}, "--dry-run=server")["spec"].items() >= empty.items()
    )


def test_an_ended_job_still_takes_its_log_and_conditions(
    kubectl: Kubectl, job_in: Callable[[Phase | str], str]
) -> None:
    late: dict[str, Any] = {"log": {"configMap": "log", "bytes": 1}, "observedGeneration": 9, "conditions": []}

    stored = kubectl.patch("pj", job_in(Phase.FAILED), {"status": late}, "--subresource=status", "--dry-run=server")

    assert stored["status"]["log"]["configMap"] == "log"


def _rules(schema: Manifest) -> Iterator[Manifest]:
    yield from schema.get("x-kubernetes-validations", [])
    for child in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if child is not None:
            yield from _rules(child)
