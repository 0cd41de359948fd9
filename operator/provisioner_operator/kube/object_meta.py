"""The few fields that identify an object and its owner, read from a body that no model has parsed.

Used where objects are followed or reported without knowing their kind: the reflector, the observer, the elector. A field that
is missing reads as the empty string, since such a body may be the very one that fits no model.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class ObjectMeta(NamedTuple):
    """The identity of an object and the version of it that was read. A tuple, since one is made per event."""

    namespace: str
    name: str
    uid: str
    resource_version: str

    @property
    def version(self) -> int:
        """The resource version as a number, which grows with each write. Raises ValueError if there is none."""
        return int(self.resource_version)

    @property
    def display_name(self) -> str:
        """The object as people write it, for messages and logs."""
        return f"{self.namespace}/{self.name}"


def object_meta(body: Mapping[str, Any]) -> ObjectMeta:
    """Read the metadata of an object, of a bookmark or of a list."""
    meta = body.get("metadata") or {}
    return ObjectMeta(
        namespace=str(meta.get("namespace", "")),
        name=str(meta.get("name", "")),
        uid=str(meta.get("uid", "")),
        resource_version=str(meta.get("resourceVersion", "")),
    )


def finalizers_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the finalizers of an object."""
    return tuple((body.get("metadata") or {}).get("finalizers") or ())


def deletion_of(body: Mapping[str, Any]) -> float | None:
    """Read when the deletion of an object was requested, in seconds since the epoch; None if it is not being deleted."""
    moment = (body.get("metadata") or {}).get("deletionTimestamp")
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def pod_of(body: Mapping[str, Any]) -> str | None:
    """Read the uid of the Pod that owns an object; None if none does."""
    owners = (body.get("metadata") or {}).get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner["kind"] == "Pod"), None)


def owner_of(body: Mapping[str, Any]) -> str | None:
    """Read the `spec.owner` of an object of any kind; None if it has none that is a text."""
    spec = body.get("spec")
    owner = spec.get("owner") if isinstance(spec, Mapping) else None
    return owner if isinstance(owner, str) else None
