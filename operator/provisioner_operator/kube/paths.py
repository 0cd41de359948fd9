"""URL paths of the API server's collections and objects. `namespace=None` means all namespaces."""

from provisioner_operator.api.v1alpha1.names import (
    API_VERSION,
    DAEMONS,
    JOBS,
    POOLS,
    QUEUES,
    SUPPLIES,
    SUPPLY_NAME,
    TEMPLATES,
    WORKSPACES,
)

SELF_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
"""Creating a review here asks whether one has a permission oneself."""


def jobs(namespace: str | None) -> str:
    """The collection of ProvisionerJobs."""
    return _collection(f"/apis/{API_VERSION}", JOBS, namespace)


def job(namespace: str, name: str) -> str:
    """One ProvisionerJob."""
    return f"{jobs(namespace)}/{name}"


def job_status(namespace: str, name: str) -> str:
    """The status subresource of a ProvisionerJob."""
    return f"{job(namespace, name)}/status"


def daemons(namespace: str | None) -> str:
    """The collection of ProvisionerDaemons."""
    return _collection(f"/apis/{API_VERSION}", DAEMONS, namespace)


def daemon(namespace: str, name: str) -> str:
    """One ProvisionerDaemon."""
    return f"{daemons(namespace)}/{name}"


def daemon_status(namespace: str, name: str) -> str:
    """The status subresource of a ProvisionerDaemon."""
    return f"{daemon(namespace, name)}/status"


def pools(namespace: str | None) -> str:
    """The collection of ProvisionerPools."""
    return _collection(f"/apis/{API_VERSION}", POOLS, namespace)


def pool(namespace: str, name: str) -> str:
    """One ProvisionerPool."""
    return f"{pools(namespace)}/{name}"


def pool_status(namespace: str, name: str) -> str:
    """The status subresource of a ProvisionerPool."""
    return f"{pool(namespace, name)}/status"


def queues(namespace: str | None) -> str:
    """The collection of ProvisionerQueues."""
    return _collection(f"/apis/{API_VERSION}", QUEUES, namespace)


def queue(namespace: str, name: str) -> str:
    """One ProvisionerQueue."""
    return f"{queues(namespace)}/{name}"


def queue_status(namespace: str, name: str) -> str:
    """The status subresource of a ProvisionerQueue."""
    return f"{queue(namespace, name)}/status"


def supplies(namespace: str | None) -> str:
    """The collection of ProvisionerSupplies."""
    return _collection(f"/apis/{API_VERSION}", SUPPLIES, namespace)


def supply(namespace: str) -> str:
    """The one ProvisionerSupply of a namespace."""
    return f"{supplies(namespace)}/{SUPPLY_NAME}"


def templates(namespace: str | None) -> str:
    """The collection of WorkspaceTemplates."""
    return _collection(f"/apis/{API_VERSION}", TEMPLATES, namespace)


def template(namespace: str, name: str) -> str:
    """One WorkspaceTemplate."""
    return f"{templates(namespace)}/{name}"


def template_status(namespace: str, name: str) -> str:
    """The status subresource of a WorkspaceTemplate."""
    return f"{template(namespace, name)}/status"


def workspaces(namespace: str | None) -> str:
    """The collection of Workspaces."""
    return _collection(f"/apis/{API_VERSION}", WORKSPACES, namespace)


def workspace(namespace: str, name: str) -> str:
    """One Workspace."""
    return f"{workspaces(namespace)}/{name}"


def workspace_status(namespace: str, name: str) -> str:
    """The status subresource of a Workspace."""
    return f"{workspace(namespace, name)}/status"


def pods(namespace: str | None) -> str:
    """The collection of Pods."""
    return _collection("/api/v1", "pods", namespace)


def pod(namespace: str, name: str) -> str:
    """One Pod."""
    return f"{pods(namespace)}/{name}"


def config_maps(namespace: str) -> str:
    """The collection of ConfigMaps."""
    return _collection("/api/v1", "configmaps", namespace)


def config_map(namespace: str, name: str) -> str:
    """One ConfigMap."""
    return f"{config_maps(namespace)}/{name}"


def secrets(namespace: str) -> str:
    """The collection of Secrets."""
    return _collection("/api/v1", "secrets", namespace)


def secret(namespace: str, name: str) -> str:
    """One Secret."""
    return f"{secrets(namespace)}/{name}"


def events(namespace: str) -> str:
    """The collection of Events (events.k8s.io/v1)."""
    return _collection("/apis/events.k8s.io/v1", "events", namespace)


def event(namespace: str, name: str) -> str:
    """One Event."""
    return f"{events(namespace)}/{name}"


def leases(namespace: str) -> str:
    """The collection of Leases."""
    return _collection("/apis/coordination.k8s.io/v1", "leases", namespace)


def lease(namespace: str, name: str) -> str:
    """One Lease."""
    return f"{leases(namespace)}/{name}"


def _collection(prefix: str, plural: str, namespace: str | None) -> str:
    return f"{prefix}/{plural}" if namespace is None else f"{prefix}/namespaces/{namespace}/{plural}"
