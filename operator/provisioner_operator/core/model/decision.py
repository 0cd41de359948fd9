"""Define the interface that all decisions share."""

from dataclasses import dataclass
from typing import Protocol

from provisioner_operator.api.v1alpha1.names import API_VERSION


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """Reference to the object of an Event."""

    kind: str
    namespace: str
    name: str
    uid: str
    api_version: str = API_VERSION


class Decision(Protocol):
    """Write (or read) to make; at most one for each subject is under way at a time."""

    @property
    def subject(self) -> str:
        """Uid of the object that it is about."""

    @property
    def display_name(self) -> str:
        """Namespace and name of that object, for logs."""

    @property
    def regarding(self) -> ObjectReference:
        """Object of the Event that reports a refusal by the API server."""
