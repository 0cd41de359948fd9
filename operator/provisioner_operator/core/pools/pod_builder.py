"""Build the Pod of a pool's daemon, and its revision: a digest of everything that the pool determines about it.

Deterministic: the same pool and default image give the same Pod, so a Pod of another revision was created from another
spec, or by another version of the operator, and is to be replaced. The Pod meets Pod Security's `restricted`. Called by
`decisions` and `fleet_plan`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
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
from provisioner_operator.api.v1alpha1.pod_environment import DRAIN_VARIABLE, OWN_VARIABLES, PROVIDER_CACHE_VARIABLE
from provisioner_operator.api.v1alpha1.pod_volumes import WORK_DIRECTORY, WORK_VOLUME
from provisioner_operator.core.daemons.run_environment import NAMED_ENV, PASS_ENV, SECRET_ENV, env_from_prefix
from provisioner_operator.core.model.json_value import JsonObject, JsonValue
from provisioner_operator.core.pools.drain_time import drain_seconds
from provisioner_operator.core.pools.records import PodTemplate, Pool

CONTAINER = "daemon"
"""Name of the only container."""
USER = 65532
"""User and group id of the image's unprivileged user."""
DEFAULT_RESOURCES: JsonObject = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"memory": "2Gi"},
}
"""Enough for Terraform with a few providers. No CPU limit: a throttled run is slow, and may miss heartbeats."""

LEAST_WORK_SPACE = 10
WORK_SPACE_OF_A_JOB = 2
"""Gibibytes to which a daemon's work directory is limited by default, at least and for each job: enough for the providers of
several clouds. Without a limit one job could fill the disk of its node. A default request for ephemeral storage would keep Pods
from nodes that do not report any."""

PROVIDER_CACHE = f"{WORK_DIRECTORY}/providers"
"""Directory of the providers that a pool's daemon keeps: on the volume of its runs, which get them by hard links."""

_DIGEST_LENGTH = 10
"""Hexadecimal digits of a revision: a pool has few revisions at a time."""


def revision(pool: Pool, default_image: str) -> str:
    """Return the digest of the Pod that the pool wants."""
    document = json.dumps(_pod(pool, default_image), sort_keys=True, separators=(",", ":"))
    return sha256(document.encode()).hexdigest()[:_DIGEST_LENGTH]


def pod(pool: Pool, name: str, default_image: str) -> JsonObject:
    """Return the Pod of that name."""
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
    """Return the label selector of the pool's Pods."""
    return f"{POOL_LABEL}={pool.name}"


def _pod(pool: Pool, default_image: str) -> dict[str, JsonObject]:
    """Return the part of the Pod that its revision covers."""
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
        **dict(_placement(pool)),
        "imagePullSecrets": template.image_pull_secrets,
        "containers": [_container(pool, default_image)],
        "volumes": _volumes(pool),
    }


def _placement(pool: Pool) -> Iterator[tuple[str, JsonValue]]:
    template = pool.template
    if template.affinity is not None:
        yield "affinity", template.affinity
    if template.topology_spread:
        own: JsonObject = {"labelSelector": {"matchLabels": {POOL_LABEL: pool.name}}}
        yield "topologySpreadConstraints", [{**own, **each} for each in template.topology_spread]
    if template.priority_class is not None:
        yield "priorityClassName", template.priority_class
    if template.runtime_class is not None:
        yield "runtimeClassName", template.runtime_class


def _volumes(pool: Pool) -> Sequence[JsonObject]:
    volumes = pool.template.volumes
    if any(each["name"] == WORK_VOLUME for each in volumes):
        return volumes
    gibibytes = max(LEAST_WORK_SPACE, WORK_SPACE_OF_A_JOB * pool.capacity)
    return ({"name": WORK_VOLUME, "emptyDir": {"sizeLimit": f"{gibibytes}Gi"}}, *volumes)


def _container(pool: Pool, default_image: str) -> JsonObject:
    template = pool.template
    return {
        "name": CONTAINER,
        "image": template.image or default_image,
        "args": ["provisioner-daemon", "run"],
        "env": [
            *_IDENTITY,
            {"name": DRAIN_VARIABLE, "value": str(drain_seconds(pool))},
            *_provider_cache(template),
            *template.env,
            *_names_for_runs(template),
        ],
        "envFrom": [_for_runs(number, source) for number, source in enumerate(template.env_from)],
        "resources": DEFAULT_RESOURCES if template.resources is None else template.resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": WORK_VOLUME, "mountPath": WORK_DIRECTORY}, *template.volume_mounts],
    }


def _provider_cache(template: PodTemplate) -> Iterator[JsonObject]:
    """Let the runs of a daemon share the providers that they fetch, unless the pool says where, or by "" that they do not."""
    if all(each["name"] != PROVIDER_CACHE_VARIABLE for each in template.env):
        yield {"name": PROVIDER_CACHE_VARIABLE, "value": PROVIDER_CACHE}


def _names_for_runs(template: PodTemplate) -> Iterator[JsonObject]:
    """Name the variables that the daemon passes on, and those of them that it masks."""
    lists = {
        NAMED_ENV: [str(each["name"]) for each in template.env],
        SECRET_ENV: [str(each["name"]) for each in template.env if _is_from_secret(each)],
        PASS_ENV: template.pass_env,
    }
    yield from ({"name": variable, "value": " ".join(names)} for variable, names in lists.items() if names)


def _is_from_secret(variable: JsonObject) -> bool:
    source = variable.get("valueFrom")
    return isinstance(source, Mapping) and "secretKeyRef" in source


def _for_runs(number: int, source: JsonObject) -> JsonObject:
    """Hide the keys of a source from the daemon itself, which takes the prefix away for runs."""
    prefix = env_from_prefix(number, secret="secretRef" in source)
    return {**source, "prefix": f"{prefix}{source.get('prefix', '')}"}


_IDENTITY: tuple[JsonObject, ...] = tuple(
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in zip(OWN_VARIABLES, ("metadata.name", "metadata.namespace", "metadata.uid"), strict=True)
)
