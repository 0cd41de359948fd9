"""Name the objects of a workspace's Terraform state, and define the lock of the state: its form, taking and releasing it.

The lock is that of Terraform's backend `kubernetes`: a Lease whose holder an annotation describes. Pure; used by the daemon and the
command line, parsed by `kube/state_locks.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.json_value import JsonObject

SUFFIX_END = "-ws"
"""The backend refuses a suffix that ends in `-` and a number, which it uses for the parts of a large state; but a workspace
may be named `dev-7`. Appended to every name, it also keeps the suffixes of two workspaces distinct."""
LOCK_INFO_ANNOTATION = "app.terraform.io/lock-info"
"""Annotation in which Terraform and OpenTofu describe the holder of a lock."""


def secret_suffix(workspace: str) -> str:
    """Return the backend's `secret_suffix` of a workspace."""
    return workspace + SUFFIX_END


def state_secret(workspace: str) -> str:
    """Return the name of the Secret that holds a workspace's state, or its first part."""
    return f"tfstate-default-{secret_suffix(workspace)}"


def lock_lease(workspace: str) -> str:
    """Return the name of the Lease that is the lock of a workspace's state."""
    return f"lock-{state_secret(workspace)}"


def state_labels(workspace: str) -> JsonObject:
    """Return the labels by which the backend finds a workspace's state and its lock."""
    return {
        "tfstate": "true",
        "tfstateSecretSuffix": secret_suffix(workspace),
        "tfstateWorkspace": "default",
        "app.kubernetes.io/managed-by": "terraform",
    }


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Holder of a lock, in the words of whoever took it."""

    id: str = "unknown"
    who: str = "unknown"
    created: str = "unknown"
    operation: str = "unknown"


@dataclass(frozen=True, slots=True)
class StateLock:
    """Lease of a lock as it was read."""

    uid: str
    resource_version: str
    holder: LockHolder | None
    annotations: Mapping[str, str]
    """All of the Lease."""


def new_lock(workspace: str, identity: str, info: str) -> JsonObject:
    """Return the Lease of a lock that is taken for the first time."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": lock_lease(workspace),
            "labels": state_labels(workspace),
            "annotations": {LOCK_INFO_ANNOTATION: info},
        },
        "spec": {"holderIdentity": identity},
    }


def take_patch(lock: StateLock, identity: str, info: str) -> JsonPatch:
    """Return the change that takes the lock, from its holder if it has one; it fails if anything has changed."""
    # Whole objects: a Lease that nobody holds may have neither.
    return JsonPatch(
        tests=_unchanged(lock),
        sets=(
            ("/metadata/annotations", {**lock.annotations, LOCK_INFO_ANNOTATION: info}),
            ("/spec", {"holderIdentity": identity}),
        ),
    )


def release_patch(lock: StateLock) -> JsonPatch:
    """Return the change that releases the lock; it fails if anything has changed."""
    kept = {name: value for name, value in lock.annotations.items() if name != LOCK_INFO_ANNOTATION}
    return JsonPatch(
        tests=_unchanged(lock), sets=(("/metadata/annotations", {**kept}),), removes=("/spec/holderIdentity",)
    )


def _unchanged(lock: StateLock) -> tuple[tuple[str, str], ...]:
    return (("/metadata/uid", lock.uid), ("/metadata/resourceVersion", lock.resource_version))
