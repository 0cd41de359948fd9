"""A PodDisruptionBudget protects a pool: Kubernetes reads a fixed size from the pool's scale, and counts a minimum itself."""

from typing import Any

import pytest

from support.builders.manifests import a_pool_manifest
from support.cluster.disruption import a_budget, await_budget
from support.cluster.pods import runs
from support.manifests import Manifest
from support.test_namespace import ProductNamespace

FIXED: dict[str, Any] = {"replicas": 3}
SCALED: dict[str, Any] = {"autoscaling": {"minReplicas": 3, "maxReplicas": 5}}


def an_eviction(pod: str) -> Manifest:
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}


@pytest.mark.parametrize(
    ("spec", "budget"), [(FIXED, {"maxUnavailable": 1}), (SCALED, {"minAvailable": 2})], ids=["fixed", "scaled"]
)
def test_one_daemon_of_a_pool_is_evicted_at_a_time(
    product: ProductNamespace, spec: dict[str, Any], budget: dict[str, int]
) -> None:
    product.admin.create(a_pool_manifest(**spec))
    product.admin.create(a_budget("pool", **budget))
    product.admin.wait("pp", "pool", "jsonpath={.status.replicas}=3")
    pods = product.admin.list_all("pods", selector="provisioner.dev/pool=pool")
    names = [each["metadata"]["name"] for each in pods]
    for name in names:
        runs(product.admin, name)
    await_budget(product.admin, "pool", 1)
    assert product.admin.get("pdb", "pool")["status"]["currentHealthy"] == 3

    product.admin.post("pod", names[0], "eviction", an_eviction(names[0]))

    # The API server counts in the same request; until a Pod in its place is ready, it refuses the next eviction.
    assert product.admin.get("pdb", "pool")["status"]["disruptionsAllowed"] == 0
