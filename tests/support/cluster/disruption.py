"""PodDisruptionBudgets of pools, as docs/pools.md has them."""

import time

from support.cluster.kubectl import Kubectl
from support.manifests import Manifest

WITHIN = 150.0


def a_budget(pool: str, **budget: int) -> Manifest:
    """A budget of the pool's name, with `minAvailable` or `maxUnavailable`."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": pool},
        "spec": {"selector": {"matchLabels": {"provisioner.dev/pool": pool}}} | budget,
    }


def await_budget(admin: Kubectl, pool: str, allowed: int) -> None:
    """Wait until this many Pods may be evicted.

    The controller manager learns of kinds that are as new as this cluster's within half a minute, but waits longer after each
    failure. A change of the budget makes it count again.
    """
    deadline = time.monotonic() + WITHIN
    while admin.get("pdb", pool)["status"].get("disruptionsAllowed") != allowed:
        assert time.monotonic() < deadline, admin.get("pdb", pool)
        annotations = {"example.com/counted-at": str(time.monotonic())}
        admin.patch("pdb", pool, {"metadata": {"annotations": annotations}})
        time.sleep(1)
