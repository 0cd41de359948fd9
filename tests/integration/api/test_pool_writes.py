"""The API server takes what is decided about pools, and what somebody else did meanwhile stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from integration.api.accepted import A_TEMPLATE
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.pools.decisions import (
    AddFinalizer,
    CordonDaemon,
    CreatePod,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.fleet_plan import Fleet, PoolView
from provisioner_operator.core.pools.members import PoolDaemon, PoolPod
from provisioner_operator.kube.parsing import parse_daemon
from provisioner_operator.kube.pool_parsing import parse_pool, parse_pool_pod
from support.builders.manifests import a_daemon_manifest, a_pool_manifest
from support.builders.pools import a_pod
from support.cluster.kubectl import Kubectl, patch_arguments
from support.manifests import Manifest

NOW = Instant(1_800_000_000.0, 5.0)
MARK = "provisioner.dev/cordoned-by"


def as_patch(operations: Sequence[JsonObject]) -> list[Manifest]:
    return [dict(operation) for operation in operations]


@pytest.fixture
def strict(admin: Kubectl) -> Kubectl:
    """An administrator in a namespace that only takes Pods of Pod Security's `restricted`, with the daemons' account."""
    assert admin.namespace is not None
    label = "pod-security.kubernetes.io/enforce=restricted"
    admin.run("label", "namespace", admin.namespace, label, "pod-security.kubernetes.io/enforce-version=latest")
    admin.run("create", "serviceaccount", "provisioner-daemon")
    return admin


TEMPLATE: Mapping[str, Any] = {
    "resources": {"requests": {"cpu": 1, "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
    "env": [
        {"name": "PLAIN", "value": "a"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token", "optional": True}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}, {"key": "spot", "value": "yes", "effect": "NoSchedule"}],
    "podLabels": {"team": "a"},
    "podAnnotations": {"example.com/note": "b"},
}


OF_A_CLUSTER = {"resources", "priorityClassName", "runtimeClassName"}
"""Fields whose values must exist in the cluster."""
EVERYTHING = {field: value for field, value in A_TEMPLATE.items() if field not in OF_A_CLUSTER}


@pytest.mark.parametrize("template", [{}, TEMPLATE, EVERYTHING], ids=["bare", "full", "everything"])
def test_the_pods_of_a_pool_pass_the_restricted_standard_and_are_its_own(template: Manifest, strict: Kubectl) -> None:
    pool = parse_pool(strict.create(a_pool_manifest(tags={"environment": "on-prem"}, template=template)))
    ready = replace(pool, finalizers=("provisioner.dev/drain",))
    (made,) = (
        each for each in Fleet("daemon:1").decide([PoolView(ready)], [], NOW).decisions if isinstance(each, CreatePod)
    )

    stored = strict.create(dict(made.body()))
    pod = parse_pool_pod(stored)

    assert pod is not None
    assert (pod.name, pod.pool_uid) == (made.name, pool.uid)
    assert stored["metadata"]["annotations"]["tags.provisioner.dev/environment"] == "on-prem"
    assert (
        strict.run("get", "pods", "--selector=provisioner.dev/pool=pool", "--output=name").stdout
        == f"pod/{made.name}\n"
    )


def test_a_pod_that_was_made_before_is_there_when_it_is_asked_for_again(strict: Kubectl) -> None:
    pool = parse_pool(strict.create(a_pool_manifest()))
    body = dict(CreatePod(pool, "pool-x7k2p", "daemon:1").body())
    strict.create(body)

    assert "already exists" in strict.api.create(body).refusal


def test_a_pool_keeps_its_finalizer_until_it_is_taken_away(admin: Kubectl) -> None:
    admin.create(a_pool_manifest())

    stored = admin.patch("pp", "pool", as_patch(AddFinalizer(parse_pool(admin.get("pp", "pool"))).patch().operations()))
    assert stored["metadata"]["finalizers"] == ["provisioner.dev/drain"]

    admin.run("delete", "pp", "pool", "--wait=false")
    deleting = parse_pool(admin.get("pp", "pool"))
    assert deleting.deleting
    admin.attempt("patch", "pp", "pool", *patch_arguments(as_patch(RemoveFinalizer(deleting).patch().operations())))
    assert "NotFound" in admin.refusal("get", "pp", "pool")


def test_a_finalizer_that_somebody_else_added_meanwhile_is_not_overwritten(admin: Kubectl) -> None:
    known = parse_pool(admin.create(a_pool_manifest()))
    admin.patch("pp", "pool", {"metadata": {"finalizers": ["example.com/other"]}})

    admin.refusal("patch", "pp", "pool", *patch_arguments(as_patch(AddFinalizer(known).patch().operations())))

    assert admin.get("pp", "pool")["metadata"]["finalizers"] == ["example.com/other"]


def member_of(daemon: Manifest, **fields: Any) -> tuple[PoolPod, PoolDaemon]:
    annotated = bool(daemon["metadata"].get("annotations"))
    return a_pod(daemon["metadata"]["name"]), PoolDaemon(daemon["metadata"]["uid"], annotated=annotated, **fields)


@pytest.mark.parametrize("annotations", [{}, {"example.com/note": "a"}], ids=["bare", "annotated"])
def test_a_daemon_is_cordoned_with_the_pools_mark_and_uncordoned_without(
    annotations: dict[str, str], admin: Kubectl
) -> None:
    pool = parse_pool(admin.create(a_pool_manifest()))
    manifest = a_daemon_manifest()
    manifest["metadata"]["annotations"] = annotations
    daemon = admin.create(manifest)

    stored = admin.patch("pd", "daemon", as_patch(CordonDaemon(pool, *member_of(daemon)).patch().operations()))
    assert (stored["spec"]["cordoned"], stored["metadata"]["annotations"]) == (True, annotations | {MARK: "pool"})
    assert parse_daemon(stored).cordoned

    stored = admin.patch("pd", "daemon", as_patch(UncordonDaemon(pool, *member_of(stored)).patch().operations()))
    assert (stored["spec"]["cordoned"], stored["metadata"].get("annotations", {})) == (False, annotations)


def test_an_admins_cordon_is_neither_claimed_nor_lifted(admin: Kubectl) -> None:
    pool = parse_pool(admin.create(a_pool_manifest()))
    daemon = admin.create(a_daemon_manifest())
    admin.patch("pd", "daemon", {"spec": {"cordoned": True}})

    for decision in (CordonDaemon(pool, *member_of(daemon)), UncordonDaemon(pool, *member_of(daemon))):
        admin.refusal("patch", "pd", "daemon", *patch_arguments(as_patch(decision.patch().operations())))

    stored = admin.get("pd", "daemon")
    assert stored["spec"]["cordoned"]
    assert MARK not in stored["metadata"].get("annotations", {})


def test_the_status_comes_back_as_it_was_decided_so_that_nothing_is_written_twice(admin: Kubectl) -> None:
    fleet, now = Fleet("daemon:1"), NOW
    pool = parse_pool(admin.create(a_pool_manifest(autoscaling={"maxReplicas": 3})))
    (update,) = (
        each for each in fleet.decide([PoolView(pool)], [], now).decisions if isinstance(each, UpdatePoolStatus)
    )

    stored = admin.patch("pp", "pool", as_patch(update.patch().operations()), subresource="status")

    read = parse_pool(stored)
    assert read.status == update.status
    later = fleet.decide([PoolView(read)], [], Instant(now.wall + 100, now.monotonic + 100))
    assert not [each for each in later.decisions if isinstance(each, UpdatePoolStatus)]
    admin.wait("pp", "pool", "condition=Ready")
