"""UUIDs of objects that have none in Kubernetes, and UIDs as UUIDs. Pure.

Jobs, builds, workspaces, daemons, templates and organizations have the UID of their Kubernetes object.
"""

from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.web.access.caller import user_id
from provisioner_operator.web.coder.models.base import NIL

_DISTINCT = 8192
"""Number of ids that are kept: those of the versions and users of a large installation."""


def uuid_of(uid: str | None) -> UUID:
    """Return the UID as a UUID; the nil UUID if there is none."""
    return NIL if uid is None else UUID(uid)


@lru_cache(maxsize=_DISTINCT)
def version_id(namespace: str, version: str) -> UUID:
    """Return the id of a template's version."""
    return uuid5(NAMESPACE_URL, f"{GROUP}/namespaces/{namespace}/versions/{version}")


@lru_cache(maxsize=_DISTINCT)
def initiator_id(name: str | None) -> UUID:
    """Return the id of a user; the nil UUID if nobody is known."""
    return NIL if name is None else user_id(name)


@lru_cache(maxsize=_DISTINCT)
def key_id(name: str) -> UUID:
    """Return the id of the key with which a daemon writes."""
    return uuid5(NAMESPACE_URL, f"{GROUP}/keys/{name}")


def resource_id(job_uid: str, address: str) -> UUID:
    """Return the id of a resource that a job changed or kept."""
    return uuid5(UUID(job_uid), address)
