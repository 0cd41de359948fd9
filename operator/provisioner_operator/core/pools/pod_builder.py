"""The Pod of a pool's daemon, made in one place, and its revision: a digest of all that the pool decides about it.

Deterministic: the same pool and default image give the same Pod, so a Pod whose revision differs was made from another
spec, or by an operator that makes Pods otherwise, and is to be replaced. The Pod meets Pod Security's `restricted`.
Called by `pool_decisions` and `fleet`.
"""

import json
from hashlib import sha256

from provisioner_operator.api.v1alpha1.names import (
    API_VERSION,
    CANCEL_GRACE_ANNOTATION,
    CAPACITY_ANNOTATION,
    DAEMON_POD_LABEL,
    LOST_AFTER_ANNOTATION,
    POOL_LABEL,
    POOL_REVISION_LABEL,
    PROVISIONERS_ANNOTATION,
    TAG_ANNOTATION_PREFIX,
)
from provisioner_operator.api.v1alpha1.pod_template import OWN_VARIABLES
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.pools.records import Pool

CONTAINER = "daemon"
"""The name of the one container."""
USER = 65532
"""The user and group of the image that are nobody's."""
DEFAULT_RESOURCES: JsonObject = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"memory": "2Gi"},
}
"""Enough for Terraform with a few providers. No limit on CPU: a throttled run is a slow one, and may miss its heartbeat."""

_DIGEST_LENGTH = 10
"""Hexadecimal digits: pools have few revisions at a time."""


def revision(pool: Pool, default_image: str) -> str:
    """Which Pod the pool wants: equal for equal ones."""
    document = json.dumps(_pod(pool, default_image), sort_keys=True, separators=(",", ":"))
    return sha256(document.encode()).hexdigest()[:_DIGEST_LENGTH]


def pod(pool: Pool, name: str, default_image: str) -> JsonObject:
    """The Pod of that name, to be created."""
    made = _pod(pool, default_image)
    owner: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "ProvisionerPool",
        "name": pool.name,
        "uid": pool.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {**made["labels"], POOL_REVISION_LABEL: revision(pool, default_image)}
    metadata: JsonObject = {
        "name": name,
        "namespace": pool.namespace,
        "labels": labels,
        "annotations": made["annotations"],
        "ownerReferences": [owner],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def selector(pool: Pool) -> str:
    """The pool's Pods, as a label selector."""
    return f"{POOL_LABEL}={pool.name}"


def _pod(pool: Pool, default_image: str) -> dict[str, JsonObject]:
    """All of the Pod that its revision stands for."""
    return {"labels": _labels(pool), "annotations": _annotations(pool), "spec": _spec(pool, default_image)}


def _labels(pool: Pool) -> JsonObject:
    return {
        **pool.template.labels,
        "app.kubernetes.io/name": "provisioner-daemon",
        "app.kubernetes.io/managed-by": "provisioner-operator",
        DAEMON_POD_LABEL: "true",
        POOL_LABEL: pool.name,
    }


def _annotations(pool: Pool) -> JsonObject:
    return {
        **pool.template.annotations,
        **{f"{TAG_ANNOTATION_PREFIX}{key}": value for key, value in pool.tags},
        PROVISIONERS_ANNOTATION: ",".join(sorted(pool.supply.provisioners)),
        CAPACITY_ANNOTATION: str(pool.capacity),
        LOST_AFTER_ANNOTATION: str(pool.lost_after),
        CANCEL_GRACE_ANNOTATION: str(pool.cancel_grace),
    }


def _spec(pool: Pool, default_image: str) -> JsonObject:
    template = pool.template
    return {
        # A container that dies is a Pod that failed: what it ran is known to be over, and the pool replaces it.
        "restartPolicy": "Never",
        "serviceAccountName": template.service_account,
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": template.termination_grace,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "nodeSelector": template.node_selector,
        "tolerations": template.tolerations,
        "containers": [_container(pool, default_image)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _container(pool: Pool, default_image: str) -> JsonObject:
    template = pool.template
    return {
        "name": CONTAINER,
        "image": template.image or default_image,
        "args": ["provisioner-daemon", "run"],
        "env": [*_IDENTITY, *template.env],
        "resources": DEFAULT_RESOURCES if template.resources is None else template.resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the Pod's own
    }


_IDENTITY: tuple[JsonObject, ...] = tuple(
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in zip(OWN_VARIABLES, ("metadata.name", "metadata.namespace", "metadata.uid"), strict=True)
)
