"""Describe what all decisions have in common, whatever they are about."""

from dataclasses import dataclass
from typing import Protocol

from provisioner_operator.api.v1alpha1.names import API_VERSION


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """An object that events can be about."""

    kind: str
    namespace: str
    name: str
    uid: str
    api_version: str = API_VERSION


class Decision(Protocol):
    """A write (or read) to make; at most one about a subject is under way at a time."""

    @property
    def subject(self) -> str:
        """The uid of the object that it is about."""

    @property
    def display_name(self) -> str:
        """That object as people write it, for logs."""

    @property
    def regarding(self) -> ObjectReference:
        """The object whose owner has to know if the API server refuses it."""
