"""Kueue: Workloads for one queue with room for all, so that only the cost of admission is measured.

A Workload is accepted when its quota is reserved; its cancel is a deactivation, which evicts it. Whoever makes Workloads for
jobs of other kinds has a write or two more than is counted here.
"""

from __future__ import annotations

from bench.peers.peer import Peer, peer_module
from bench.stopwatch import Sign
from bench.subjects import NAME

_NAMESPACE = "kueue"
_QUEUE = "bench"
_VERSION = "kueue.x-k8s.io/v1beta2"
_COLLECTION = f"/apis/{_VERSION}/namespaces/{_NAMESPACE}/workloads"
_ROOM, _SHARE = "1000000", "1m"

_FLAVOR = {"apiVersion": _VERSION, "kind": "ResourceFlavor", "metadata": {"name": _QUEUE}}
_CLUSTER_QUEUE = {
    "apiVersion": _VERSION,
    "kind": "ClusterQueue",
    "metadata": {"name": _QUEUE},
    "spec": {
        "namespaceSelector": {},
        "resourceGroups": [
            {
                "coveredResources": ["cpu"],
                "flavors": [{"name": _QUEUE, "resources": [{"name": "cpu", "nominalQuota": _ROOM}]}],
            }
        ],
    },
}
_LOCAL_QUEUE = {
    "apiVersion": _VERSION,
    "kind": "LocalQueue",
    "metadata": {"name": _QUEUE, "namespace": _NAMESPACE},
    "spec": {"clusterQueue": _QUEUE},
}
_CONTAINER = {"name": "main", "image": "none", "command": ["true"], "resources": {"requests": {"cpu": _SHARE}}}
_POD = {"restartPolicy": "Never", "containers": [_CONTAINER]}
_WORKLOAD = {
    "apiVersion": _VERSION,
    "kind": "Workload",
    "metadata": {"name": NAME},
    "spec": {
        "queueName": _QUEUE,
        "podSets": [{"name": "main", "count": 1, "template": {"spec": _POD}}],
    },
}


def _condition(name: str, status: str) -> Sign:
    return Sign(_COLLECTION, f"status.conditions[?type=='{name}' && status=='{status}'] | [0]")


KUEUE = Peer(
    name="Kueue",
    namespace=_NAMESPACE,
    module=peer_module("kueue", "."),
    source="sigs.k8s.io/kueue",
    manifests=("config/components/crd/bases/*.yaml",),
    objects=(_FLAVOR, _CLUSTER_QUEUE, _LOCAL_QUEUE),
    arguments=(
        "--kubeconfig={kubeconfig}",
        "--config={source}/config/components/manager/controller_manager_config.yaml",
        "--qps=-1",
    ),
    collection=_COLLECTION,
    job=_WORKLOAD,
    accepted=_condition("QuotaReserved", "True"),
    cancel={"spec": {"active": False}},
    # Only the integration of the kind that a Workload was made for gives its quota back, with one more write.
    canceled=_condition("Evicted", "True"),
)
