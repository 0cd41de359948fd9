"""Metadata of objects that are changed at a user's request: identity, labels, annotations and owners.

Read from plain JSON by `kube.object_states`, so that also an object that fits no model can be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnerReference:
    """One owner of an object."""

    kind: str
    uid: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one object."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    created: str
    """RFC 3339; empty on an object that is not stored."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owners: tuple[OwnerReference, ...]
